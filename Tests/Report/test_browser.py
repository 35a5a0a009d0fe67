"""The case report in Debian's Chromium, as an investigator uses it: nothing on the console, no request, sort, search,
lasso, marks, print, a keyboard, no script. Screenshots in light and dark stay under .build-out/report, to be looked
at."""

import base64
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.print_page_options import PrintOptions
from selenium.webdriver.support.ui import Select, WebDriverWait

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "bindings/python/tests")]

import covey  # noqa: E402
from report_support import hostile, sample  # noqa: E402, F401

SHOTS = REPOSITORY / ".build-out" / "report"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def path(sample, folder):  # noqa: F811
    sample[0].report(folder / "case.html", currency="EUR")
    SHOTS.mkdir(parents=True, exist_ok=True)
    return folder / "case.html"


def start(folder, scripts=True):
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1000"):
        options.add_argument(argument)
    content = {"profile.managed_default_content_settings.javascript": 1 if scripts else 2}
    options.add_experimental_option("prefs", {"download.default_directory": str(folder), **content})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
    return webdriver.Chrome(options=options, service=service)


@pytest.fixture(scope="module")
def browser(folder):
    driver = start(folder)
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, path):
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(path.as_uri())
    return browser


def requests(driver):
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


def visible(driver, selector):
    return [item for item in driver.find_elements(By.CSS_SELECTOR, selector) if item.is_displayed()]


def test_no_error_and_no_request(opened, path):
    assert requests(opened) == [path.as_uri()]
    assert opened.get_log("browser") == []
    paint = opened.execute_script("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 1000
    wide = opened.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert wide


def test_the_policy_holds(opened):
    """A script that gets into the page does not run, nor does one in an attribute, and nothing is fetched."""
    opened.execute_script(
        "const item = document.createElement('script'); item.textContent = 'window.ran = 1';"
        "document.body.append(item);"
        "const link = document.createElement('a'); link.setAttribute('onclick', 'window.ran = 2');"
        "document.body.append(link);"
        "link.click(); const picture = new Image(); picture.src = 'http://localhost:9/x.png';"
        "document.body.append(picture)"
    )
    assert opened.execute_script("return window.ran === undefined")
    assert sum("Content Security Policy" in entry["message"] for entry in opened.get_log("browser")) >= 3


def test_sort(opened):
    table = opened.find_element(By.CSS_SELECTOR, "#decide ~ .card table")
    heading = table.find_elements(By.CSS_SELECTOR, "th button")[1]
    heading.click()
    assert heading.find_element(By.XPATH, "..").get_attribute("aria-sort") == "descending"

    def column():
        return [
            float(cell.get_attribute("data-v"))
            for cell in table.find_elements(By.CSS_SELECTOR, "tbody td:nth-child(2)")
        ]

    assert column() == sorted(column(), reverse=True)
    heading.send_keys(Keys.ENTER)  # a keyboard does the same
    assert column() == sorted(column())


def test_search(opened):
    cards = len(visible(opened, ".card[id]"))
    box = opened.find_element(By.ID, "search")
    box.send_keys("nocoupon")
    fewer = visible(opened, ".card[id]")
    assert 0 < len(fewer) < cards and all("nocoupon" in card.text for card in fewer)
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    assert len(visible(opened, ".card[id]")) == cards
    assert opened.get_log("browser") == []


def test_lasso_and_groups_of_the_map(opened):
    picture = opened.find_element(By.ID, "map")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", picture)
    size = picture.size["width"]
    half = int(size * 0.49)
    actions = ActionChains(opened).move_to_element_with_offset(picture, -half, -half).click_and_hold()
    for x, y in ((2 * half, 0), (0, 2 * half), (-2 * half, 0), (0, -2 * half + 2)):
        actions = actions.move_by_offset(x, y)
    actions.release().perform()
    points = opened.execute_script("return JSON.parse(document.getElementById('data').textContent).points")
    assert int(opened.find_element(By.ID, "selected").text.split()[0]) > 0.8 * len(points)
    Select(opened.find_element(By.ID, "pick")).select_by_value("3")
    chosen = sum(point[2] == 3 for point in points)
    assert opened.find_element(By.ID, "selected").text.startswith(f"{chosen} ")
    assert len(opened.find_elements(By.CSS_SELECTOR, "#picked li")) == chosen
    assert opened.get_log("browser") == []


def test_marks_are_saved_and_read_back(opened, folder, sample):  # noqa: F811
    found, _, table = sample
    export = opened.find_element(By.ID, "export")
    assert not export.is_enabled()
    group = opened.find_element(By.CSS_SELECTOR, "fieldset[data-kind=group][data-group='5']")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", group)
    group.find_element(By.CSS_SELECTOR, "input[value=confirmed]").click()
    note = 'seen "before" </script> ü'
    group.find_element(By.CSS_SELECTOR, "input[type=text]").send_keys(note)
    alert = opened.find_element(By.CSS_SELECTOR, "fieldset[data-kind=transaction]")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", alert)
    alert.find_element(By.CSS_SELECTOR, "input[value=false_alarm]").click()
    assert opened.find_element(By.ID, "marked").text.startswith("2 ")
    export.click()
    file = folder / "marks.json"
    WebDriverWait(opened, 10).until(lambda _: file.exists() and file.stat().st_size)
    time.sleep(0.2)
    marks = covey.read_marks(file)
    row = int(alert.get_attribute("data-row"))
    assert (
        marks.groups == {5: "confirmed"}
        and marks.transactions == {row: "false_alarm"}
        and marks.notes == {("group", 5): note}
    )
    labels = marks.labels(found)
    unknown = found.groups[5].members[table.label.isna().to_numpy()[found.groups[5].members]]
    assert labels[row] == 0 and np.all(labels[unknown[unknown != row]] == 1)
    assert opened.get_log("browser") == [] and all(not url.startswith("http") for url in requests(opened))


def test_keyboard_and_names(opened):
    """The first key leads to the groups; everything that can be used has a name; headings go down one level at a
    time."""
    opened.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert opened.switch_to.active_element.get_attribute("href").endswith("#groups")
    unnamed = opened.execute_script(
        "return [...document.querySelectorAll('input,button,select,svg,a')].filter(item => !(item.textContent.trim() ||"
        "item.getAttribute('aria-label') || (item.labels && [...item.labels].some(one => one.textContent.trim()))))"
        ".length"
    )
    assert unnamed == 0
    levels = opened.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(item => Number(item.tagName[1]))"
    )
    assert levels[0] == 1 and all(two - one <= 1 for one, two in zip(levels, levels[1:]))
    doubles = opened.execute_script(
        "const ids = [...document.querySelectorAll('[id]')].map(item => item.id); return ids.length - new Set(ids).size"
    )
    assert doubles == 0


def test_print(opened):
    pdf = base64.b64decode(opened.print_page(PrintOptions()))
    (SHOTS / "case.pdf").write_bytes(pdf)
    assert (
        pdf.startswith(b"%PDF") and len(pdf) > 50_000 and pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") > 3
    )
    assert opened.find_elements(By.CSS_SELECTOR, "details[data-shut]") == []  # shut again


def test_screenshots(opened):
    for theme in ("light", "dark"):
        opened.execute_script(f"document.documentElement.dataset.theme = '{theme}'")
        paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(246, 247, 249)") == (theme == "light")
        for name, selector in (("top", "header"), ("map", "#map"), ("card", "#g0"), ("end", "footer")):
            item = opened.find_element(By.CSS_SELECTOR, selector)
            opened.execute_script("arguments[0].scrollIntoView({block: 'start', behavior: 'instant'})", item)
            assert opened.save_screenshot(str(SHOTS / f"{theme}-{name}.png"))
    opened.find_element(By.ID, "theme").click()
    assert opened.execute_script("return document.documentElement.dataset.theme") == "light"


def test_a_telephone(folder, path):
    driver = start(folder)
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        )
        driver.get(path.as_uri())
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
        driver.save_screenshot(str(SHOTS / "telephone.png"))
    finally:
        driver.quit()


def test_without_scripts(folder, path):
    driver = start(folder, scripts=False)
    try:
        driver.get(path.as_uri())
        assert visible(driver, "#map") and visible(driver, "svg.sessions") and not visible(driver, "#search, fieldset")
        assert visible(driver, ".nojs") and "Group 0" in driver.find_element(By.ID, "main").text
    finally:
        driver.quit()


def test_hostile_names_run_nothing(browser, folder, hostile):  # noqa: F811
    found, _ = hostile
    found.report(folder / "hostile.html", mask=False, links=["device"], names={"device": "<i>device</i>"})
    browser.get_log("browser"), browser.get_log("performance")
    browser.get((folder / "hostile.html").as_uri())
    assert requests(browser) == [(folder / "hostile.html").as_uri()]
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.querySelectorAll('script').length") == 2
    assert "<script>alert(1)</script>" in browser.execute_script("return document.body.textContent")
    box = browser.find_element(By.ID, "search")
    box.send_keys("<script>")
    assert browser.get_log("browser") == []
