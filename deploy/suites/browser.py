"""Headless Chromium for the outside suites; what it complains of is a fault of ours unless it was expected."""

import contextlib
import os
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


class Browser:
    """One browser with a profile of its own."""

    def __init__(self, running, driver):
        self.url, self.driver = running.url, driver

    def open(self, path):
        self.driver.get(path if "://" in path else self.url + path)

    def fill(self, **fields):
        for name, value in fields.items():
            field = self.driver.find_element(By.NAME, name)
            field.clear()
            field.send_keys(value)

    def press(self, label):
        """Presses a button and waits for the page that follows."""
        button = next(found for found in self.driver.find_elements(By.TAG_NAME, "button") if found.text == label)
        before = self.driver.find_element(By.TAG_NAME, "html").id
        button.click()
        WebDriverWait(self.driver, 20).until(
            lambda driver: driver.find_element(By.TAG_NAME, "html").id != before
            and driver.execute_script("return document.readyState") == "complete"
        )

    def sign_in(self, email, password):
        self.fill(email=email, password=password)
        self.press("Sign in")

    @property
    def title(self):
        return self.driver.find_element(By.TAG_NAME, "h1").text

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "main").text

    @property
    def path(self):
        return self.driver.current_url.removeprefix(self.url)

    def complaints(self):
        """What the console has said since it was last asked: refused scripts, styles, forms, failed loads."""
        entries = self.driver.get_log("browser")
        # Advice to authors, such as fields that a password manager would like, is no complaint.
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def assert_quiet(self):
        said = self.complaints()
        assert not said, said


@contextlib.contextmanager
def browser(running):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1000,900"]
    if os.geteuid() == 0:
        # Chromium does not start its own sandbox as root.
        arguments.append("--no-sandbox")
    for argument in arguments:
        options.add_argument(argument)
    # The certificate is of the installation's own authority.
    options.accept_insecure_certs = True
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(prefix="errand-chromium-") as profile:
        options.add_argument(f"--user-data-dir={profile}")
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            driver.set_page_load_timeout(30)
            yield Browser(running, driver)
        finally:
            driver.quit()
