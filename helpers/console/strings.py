"""The words of the console, in one catalogue for a translation: strings.en.json beside this file."""

from pathlib import Path

from ..pages.catalogue import Catalogue

CATALOGUE = Catalogue(Path(__file__).parent)
words = CATALOGUE.words
