"""What notebook 13 claims, by its own cells: pages and static files arrive, nobody waits in line, a crash is one."""

import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import boto3
import headless_chromium
import matplotlib
import pytest
from notebook_cells import Notebook

matplotlib.use("Agg")

from helpers import reports  # noqa: E402

# the cells that make the API anew, and what is behind it
API = (
    "delete-old-api",
    "api",
    "pages-route",
    "permit-api",
    "static-route",
    "signer",
    "links",
    "answers",
    "answers-routes",
)


class System(Notebook):
    """The notebook's system: a page at two addresses, its static files, and the server beside it."""

    def __init__(self) -> None:
        super().__init__("13")
        self.run("imports", "connect", "http", "page", "create-url", "permit", "cap", "wait-for", "function-url")
        self.run(
            "bucket", "static-files", "public-read", "route", *API, "ask-once", "ask", "server", "outcomes", "close"
        )
        self.run("stream-source", "stream", "first-byte")

    def reports(self, since: datetime, at_least: int = 0):
        return reports(self.logs, self.name, since=since, at_least=at_least)


@pytest.fixture(scope="module")
def system(aws_of_module) -> System:
    return System()


def now() -> datetime:
    return datetime.now(UTC) - timedelta(milliseconds=1)


def test_both_addresses_give_the_same_page(system):
    pages = [system.http.get(url + "/item/2") for url in (system.function_url, system.api_url)]
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].text == pages[1].text and "<h1>Hojicha</h1>" in pages[0].text


def test_a_request_that_comes_twice_gets_the_same_answer_twice(system):
    first, again = (system.http.get(f"{system.api_url}/item/4") for _ in range(2))
    assert first.text == again.text
    assert first.headers["X-Request-Id"] != again.headers["X-Request-Id"], "each is an invocation of its own"


def test_static_files_come_from_s3_without_an_invocation(system):
    began = now()
    style = system.http.get(f"{system.api_url}/static/site.css")
    logo = system.http.get(f"{system.api_url}/static/logo.svg")
    assert style.headers["Content-Type"] == "text/css" and "h1" in style.text
    assert logo.headers["Content-Type"] == "image/svg+xml" and "<svg" in logo.text
    # AWS says 403 to who may not list the bucket, MiniStack 404 to who may read the key
    assert system.http.get(f"{system.api_url}/static/absent.css").status_code in (403, 404)
    assert system.http.get(f"{system.api_url}/cart").json() == {"message": "Not Found"}
    known = system.http.get(f"{system.api_url}/item/1").headers["X-Request-Id"]
    assert list(system.reports(began, at_least=1)["request_id"]) == [known]


def test_the_function_url_has_no_routes(system):
    answer = system.http.get(f"{system.function_url}/static/site.css")
    assert answer.status_code == 404 and answer.headers["Content-Type"].startswith("text/html")


def test_the_cells_can_run_twice_and_leave_one_api(system):
    # made by the module's fixture once; the cell that makes the API anew must not leave the old one
    system.run(*API)
    apis = system.gateway.get_apis()["Items"]
    assert [api["ApiEndpoint"] for api in apis if api["Name"] == system.api_name] == [system.api_url]
    assert system.http.get(f"{system.api_url}/item/1").status_code == 200


def test_each_address_has_a_cap(system):
    for function, most in ((system.name, 50), (system.answers, 10)):
        reserved = system.lambda_client.get_function_concurrency(FunctionName=function)
        assert reserved["ReservedConcurrentExecutions"] == most


def test_presigned_urls_are_of_the_bucket_s_region_and_short_lived(system, monkeypatch):
    for region in ("us-east-1", "eu-west-1"):
        client = boto3.client(
            "s3", region, aws_access_key_id="x", aws_secret_access_key="y", config=_config_on_aws(system)
        )
        monkeypatch.setitem(system.names, "signer", client)
        url = urlsplit(system.presigned("static/site.css"))
        assert url.hostname == f"{system.bucket}.s3.{region}.amazonaws.com"
        assert parse_qs(url.query)["X-Amz-Expires"] == ["900"]


def _config_on_aws(system):
    """What the cell gives its signer where there is no endpoint."""
    given = []
    on_aws = SimpleNamespace(endpoint=None, client=lambda service, config: given.append(config))
    exec(system.text("signer"), {**system.names, "workshop": on_aws})
    return given[0]


def open_statements(client, function: str) -> list[str]:
    """What the policy of a function permits everybody."""
    try:
        policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return []
    return [each["Sid"] for each in policy["Statement"] if each["Principal"] == "*"]


def test_nothing_stays_open(system):
    system.run("careless-source", "corner")
    assert system.outcome(system.corner_url + "/item/1") == "200"
    assert open_statements(system.lambda_client, system.corner) == ["use-url", "invoke"]
    try:
        system.run("close-all", "close-all")  # and it can run twice
        for url in (system.function_url, system.answers_url, system.corner_url, system.stream_url, system.api_url):
            assert system.outcome(url + "/item/1") in ("403", "404", "no answer")
        for function in (system.name, system.answers, system.corner, system.stream):
            assert open_statements(system.lambda_client, function) == []
        style = f"{system.s3.meta.endpoint_url}/{system.bucket}/static/site.css"
        assert system.http.get(style).status_code == 403
    finally:
        system.run("function-url", "public-read", *API, "stream")


@pytest.mark.parametrize(("mode", "pieces"), [("BUFFERED", 1), ("RESPONSE_STREAM", 6)])
def test_a_page_comes_whole_or_in_pieces(system, mode, pieces):
    times = system.first_byte(mode)
    assert times["first_ms"] <= times["last_ms"]
    with system.http.get(system.stream_url, stream=True) as page:
        assert page.headers["Content-Type"] == "text/html"
        found = list(page.iter_content(None))
    assert len(found) <= pieces and (pieces == 1 or len(found) > 1)
    assert b"".join(found).count(b"<p>") == 5


def test_an_address_with_one_permission_or_none_is_forbidden(system):
    """What the notebook shows before it opens the address."""
    system.close(system.name)
    try:
        system.run("no-permission", "one-permission")
        assert system.refused.status_code == 403 and "Forbidden" in system.refused.text
        assert open_statements(system.lambda_client, system.name) == ["use-url"]
        assert system.http.get(system.function_url).status_code == 403
    finally:
        system.run("function-url", "permit-api")
    assert system.http.get(system.function_url).status_code == 200


def test_only_static_files_are_open_to_everybody(system):
    system.s3.put_object(Bucket=system.bucket, Key="private.txt", Body=b"a secret")
    url = f"{system.s3.meta.endpoint_url}/{system.bucket}"
    assert system.http.get(f"{url}/static/site.css").status_code == 200
    assert system.http.get(f"{url}/private.txt").status_code == 403
    assert system.http.get(url).status_code == 403
    system.s3.delete_object(Bucket=system.bucket, Key="private.txt")


def test_the_browser_keeps_the_number_of_visits(system):
    system.http.cookies.clear()
    said = [system.http.get(f"{system.api_url}/visits").text for _ in range(3)]
    assert said == [f"This is visit {number}." for number in (1, 2, 3)]


def test_a_compressed_page_arrives_whole(system):
    answer = system.http.get(f"{system.api_url}/zipped")
    assert answer.headers["Content-Encoding"] == "gzip" and answer.text.count("<p>Sencha") == 500
    assert int(answer.headers["Content-Length"]) * 50 < len(answer.content)


def test_the_events_differ_in_what_the_notebook_says(system):
    by_url = system.http.get(f"{system.answers_url}/event/7?milk=no&milk=please").json()
    by_api = system.http.get(f"{system.api_url}/event/7?milk=no&milk=please").json()
    assert (by_url["routeKey"], by_api["routeKey"]) == ("$default", "GET /event/{id}")
    assert "pathParameters" not in by_url and by_api["pathParameters"] == {"id": "7"}
    for name in ("version", "rawPath", "rawQueryString", "queryStringParameters"):
        assert by_url[name] == by_api[name]


def test_callers_of_lambda_do_not_stand_in_line(system):
    callers = 8
    system.deploy_page(**system.links)
    began = now()
    on_lambda = system.ask_at_once(f"{system.api_url}/item/1", callers)
    process, url = system.start_server(1)
    try:
        alone = system.ask_at_once(f"{url}/item/1", 1)
        in_line = system.ask_at_once(f"{url}/item/1", callers)
    finally:
        process.terminate()
        process.communicate()
    assert in_line["wait_ms"].median() > 4 * alone["wait_ms"].median()
    assert set(on_lambda["status"]) == set(in_line["status"]) == {200}
    log = system.reports(began, at_least=len(on_lambda))
    assert sorted(log["request_id"]) == sorted(on_lambda["request_id"]), "each answer has one REPORT line"
    environments = log["environment"].nunique()
    assert 2 <= environments <= callers and log["init_ms"].notna().sum() == environments
    joined = on_lambda.merge(log, on="request_id")
    warm, cold = (joined[joined["init_ms"].isna() == each]["wait_ms"].median() for each in (True, False))
    assert warm < cold and warm < in_line["wait_ms"].median()


def test_more_workers_serve_more(system):
    per_second = {}
    for workers in (1, 4):
        process, url = system.start_server(workers)
        try:
            asked = [system.ask_at_once(f"{url}/item/1", 8) for _ in range(3)]  # a busy machine makes one slower
            per_second[workers] = max(rows["per_second"].max() for rows in asked)
        finally:
            process.terminate()
            process.communicate()
    assert per_second[1] < 10, "a page takes a tenth of a second"
    assert 2 * per_second[1] < per_second[4] < 40


def test_a_crash_costs_one_request_on_lambda(system):
    system.deploy_page(**system.links, CRASH_AT="3")
    began = now()
    try:
        assert system.outcomes(system.api_url).to_dict() == {"200": 9, "500": 1}
        log = system.reports(began, at_least=10)
        assert len(log) == 10, "nobody tries again"
        assert list(log[log["status"] != "success"]["error_type"]) == ["Runtime.ExitError"]
        assert system.http.get(f"{system.api_url}/item/1").status_code == 200
    finally:
        system.deploy_page(**system.links)
    assert system.http.get(f"{system.api_url}/item/3").status_code == 200


def test_a_crash_ends_the_server(system):
    process, url = system.start_server(1, CRASH_AT="3")
    found = system.outcomes(url)
    assert process.wait(30) == 1
    process.communicate()
    assert found.get("no answer", 0) >= 1 and "500" not in found
    assert system.outcomes(url).to_dict() == {"no answer": 10}


# in a browser


@pytest.fixture(scope="module")
def browser(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "900,700")
    yield driver
    driver.quit()


def test_a_browser_shows_the_page_with_its_style_and_its_logo(browser, system, tmp_path):
    browser.get(f"{system.api_url}/?visitor=Ada")
    browser.save_screenshot(str(tmp_path / "page.png"))
    assert browser.title == "Tea for you"
    assert "Chosen for Ada" in browser.find_element("tag name", "body").text
    color = browser.execute_script("return getComputedStyle(document.querySelector('h1')).color")
    assert re.findall(r"\d+", color)[:3] == ["59", "125", "35"], "the style sheet is obeyed"
    assert browser.execute_script("return document.querySelector('img').naturalWidth") == 48


def test_its_links_lead_to_other_pages(browser, system):
    browser.get(system.api_url)
    browser.find_element("link text", "Matcha").click()
    assert browser.title == "Matcha" and browser.current_url == f"{system.api_url}/item/4"


def test_a_script_in_a_name_runs_on_the_careless_page_alone(browser, system):
    attack = "<script>document.title='mine now'</script>"
    browser.get(f"{system.api_url}/?visitor={attack}")
    assert browser.title == "Tea for you"
    system.run("careless-source", "corner")
    browser.get(f"{system.corner_url}/item/1?visitor={attack}")
    assert browser.title == "mine now"
