// Which section of a notebook each cell belongs to, and how all others are hidden.
//
// A section begins with a heading of the second level. Prose may hold the end of one section and the beginning of the
// next, so a cell belongs to several, and of such a cell only the elements of the one that is shown are to be seen.

// as helpers/lessons.py has them
const HEADING = /^## +(.+?) *#*$/gm;
const FENCED = /^(```|~~~)[^]*?^\1/gm;

/** The sections of a notebook: [{heading, cells: [places of its cells]}]; the opening has the heading "". */
export function sectionsOf(cells) {
  const found = [{ heading: "", cells: [] }];
  cells.forEach(({ isProse, text }, place) => {
    const outsideCode = text.replace(FENCED, (code) => code.replaceAll("#", " "));
    const headings = isProse ? [...outsideCode.matchAll(HEADING)] : [];
    if (!headings.length || text.slice(0, headings[0].index).trim()) found.at(-1).cells.push(place);
    for (const [, heading] of headings) found.push({ heading, cells: [place] });
  });
  return found;
}

/** Show one section (null: all) of a notebook's cells, given by their DOM nodes and what sectionsOf() made of them. */
export function showOnly(nodes, sections, shown) {
  const wanted = shown === null ? null : new Set(sections[shown].cells);
  nodes.forEach((node, place) => {
    mark(node, wanted === null || wanted.has(place));
    const prose = node.querySelector(".jp-RenderedMarkdown");
    if (!prose) return;
    let section = Math.max(0, sections.findLastIndex((each) => each.cells[0] < place)); // that its first words belong to
    for (const element of prose.children) {
      if (element.tagName === "H2") section += 1;
      mark(element, shown === null || section === shown);
    }
  });
}

function mark(element, isShown) {
  if (isShown) element.removeAttribute("data-left-out");
  else element.setAttribute("data-left-out", "");
}
