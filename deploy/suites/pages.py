"""The pages as people meet them, in headless Chromium: no script runs, nothing is complained of."""

import json
import os
import subprocess
import tempfile

from selenium.webdriver.common.by import By

from browser import browser


def member(running, errand):
    """An account of its own: its address and password."""
    email = f"pages-{os.urandom(6).hex()}@example.org"
    made = subprocess.run(
        [errand, "admin", "user", "create", email, "--json", "--data", str(running.data)],
        capture_output=True, check=True, timeout=60,
    )
    return email, json.loads(made.stdout)["password"]


def token_of(running, email, password):
    form = {"email": email, "password": password}
    return {"authorization": "Bearer " + running.call("POST", "/v1/auth/login", form, token=False)["access_token"]}


def check_a_person_signs_in_and_out(running, errand):
    email, password = member(running, errand)
    with browser(running) as chrome:
        chrome.open("/device")
        assert chrome.title == "Sign in" and chrome.path.startswith("/signin?return_to="), chrome.path
        chrome.assert_quiet()
        chrome.sign_in(email, "not the password")
        assert "The address or the password is wrong" in chrome.text, chrome.text
        assert all("status of 401" in said for said in chrome.complaints())
        chrome.sign_in(email, password)
        assert chrome.path == "/device" and chrome.title == "Confirm a device", (chrome.path, chrome.text)
        cookies = {cookie["name"]: cookie for cookie in chrome.driver.get_cookies()}
        session = cookies["__Host-errand"]
        assert session["httpOnly"] and session["secure"] and session["sameSite"] == "Lax" and session["path"] == "/"
        assert "__Host-errand-form" not in cookies, cookies
        assert chrome.driver.execute_script("return document.cookie") == ""
        chrome.open("/signin")
        assert chrome.title == "You are signed in" and email in chrome.text
        chrome.press("Sign out")
        assert chrome.title == "Sign in"
        chrome.assert_quiet()


def check_no_script_and_no_foreign_style_runs(running, errand):
    with browser(running) as chrome:
        chrome.open("/signin")
        chrome.assert_quiet()
        # What a hole in the escaping would let a stranger do, done by hand: the policy is the second wall.
        ran = chrome.driver.execute_script(
            "const s = document.createElement('script'); s.textContent = 'document.title = \"ran\"';"
            "document.body.append(s);"
            "const i = document.createElement('img'); i.src = 'https://127.0.0.1:1/x'; document.body.append(i);"
            "document.body.setAttribute('style', 'display: none');"
            "return [document.title, getComputedStyle(document.body).display]"
        )
        assert ran == ["Sign in · Errand", "block"], ran
        said = " ".join(chrome.complaints())
        assert "script" in said and "style" in said and "Content Security Policy" in said, said


def check_a_phone_confirms_a_machine_that_shows_a_code(running, errand):
    email, password = member(running, errand)
    with browser(running) as chrome, tempfile.TemporaryDirectory() as home:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment = {**kept, "HOME": home, "ERRAND_CONFIG_HOME": home}
        command = [errand, "login", "--url", running.url, "--ca", running.ca, "--code", "--device", "<b>rack</b>"]
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as login:
            try:
                page = login.stderr.readline().split()[1]
                code = login.stderr.readline().split()[1]
                assert login.stderr.readline().startswith("waiting")
                chrome.open(f"{page}?user_code={code}")
                chrome.sign_in(email, password)
                # The link has filled the code in and done nothing else.
                assert chrome.driver.find_element(By.NAME, "user_code").get_attribute("value") == code
                chrome.press("Continue")
                assert chrome.title == "Sign this device in?", chrome.text
                for shown in (code, "Errand's command line", "<b>rack</b>", "127.0.0.1", email):
                    assert shown in chrome.text, (shown, chrome.text)
                assert login.poll() is None
                chrome.press("Sign the device in")
                assert chrome.title == "The device is signed in", chrome.text
                chrome.assert_quiet()
                assert login.wait(30) == 0
            finally:
                if login.poll() is None:
                    login.kill()
        seen = subprocess.run([errand, "whoami"], env=environment, capture_output=True, text=True, timeout=30)
        assert seen.returncode == 0 and email in seen.stdout, seen


def check_a_reset_link_sets_a_password(running, errand):
    email, _ = member(running, errand)
    made = subprocess.run(
        [errand, "admin", "user", "reset", email, "--json", "--data", str(running.data)],
        capture_output=True, check=True, timeout=60,
    )
    link = json.loads(made.stdout)["link"]
    new = "twelve tall ships at anchor"
    with browser(running) as chrome:
        chrome.open(link)
        assert chrome.title == "Choose a new password"
        chrome.fill(password=new, again=new)
        chrome.press("Set the password")
        assert chrome.title == "The password is set", chrome.text
        chrome.driver.find_element(By.LINK_TEXT, "Sign in").click()
        chrome.sign_in(email, new)
        assert chrome.title == "You are signed in", chrome.text
        chrome.assert_quiet()
        chrome.open(link)
        chrome.fill(password=new, again=new)
        chrome.press("Set the password")
        assert "The reset link is not valid" in chrome.text, chrome.text


def check_an_invitation_leads_into_the_team(running, errand):
    (owner, owners), (guest, guests) = member(running, errand), member(running, errand)
    headers = token_of(running, owner, owners)
    team = running.call("GET", "/v1/teams", token=False, headers=headers)["items"][0]
    made = running.call("POST", f"/v1/teams/{team['id']}/invites", {"role": "viewer"}, token=False, headers=headers)
    with browser(running) as chrome:
        chrome.open(made["url"])
        chrome.sign_in(guest, guests)
        assert chrome.title == "Join this team?" and team["name"] in chrome.text and "viewer" in chrome.text
        chrome.press("Join")
        assert chrome.title == "You are in the team", chrome.text
        chrome.assert_quiet()
        chrome.open(made["url"])
        assert chrome.title == "This invitation cannot be used", chrome.text
    teams = running.call("GET", "/v1/teams", token=False, headers=token_of(running, guest, guests))["items"]
    assert team["id"] in [each["id"] for each in teams], teams


def check_pages_fit_a_phone_in_light_and_dark_and_name_their_fields(running, errand):
    with browser(running) as chrome:
        grounds = []
        for scheme in ("light", "dark"):
            chrome.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True,
            })
            chrome.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            )
            for path in ("/signin", "/reset", "/reset?token=x"):
                chrome.open(path)
                wide, unnamed = chrome.driver.execute_script(
                    "return [document.documentElement.scrollWidth > innerWidth,"
                    " [...document.querySelectorAll('input:not([type=hidden])')].filter(i => !i.labels.length).length]"
                )
                assert not wide and unnamed == 0, (path, scheme, wide, unnamed)
            grounds.append(chrome.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
        assert grounds[0] != grounds[1], grounds
        chrome.assert_quiet()


def registered_passkey(running, chrome, headers):
    """Gives the account a passkey of the browser's own authenticator, as the page of an application would."""
    begun = running.call("POST", "/v1/me/passkeys/begin", token=False, headers=headers)
    made = chrome.driver.execute_async_script(
        """
        const [o, done] = arguments, d = s => Uint8Array.from(atob(s.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
        const e = b => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/[+]/g, '-').replace(/[/]/g, '_').replace(/=+$/, '');
        o.challenge = d(o.challenge); o.user.id = d(o.user.id); for (const c of o.excludeCredentials) c.id = d(c.id);
        navigator.credentials.create({publicKey: o}).then(k => done({id: k.id, rawId: e(k.rawId), type: k.type, response: {
            clientDataJSON: e(k.response.clientDataJSON), attestationObject: e(k.response.attestationObject),
            transports: k.response.getTransports()}}), x => done(String(x)));
        """,
        begun["options"],
    )
    assert isinstance(made, dict), made
    running.call("POST", "/v1/me/passkeys/finish", {"name": "laptop", "credential": made}, token=False, headers=headers)


def check_a_passkey_signs_in_alone_and_as_the_second_step(running, errand):
    from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

    email, password = member(running, errand)
    with browser(running) as chrome:
        # Passkeys are for names, not for addresses.
        chrome.url = running.url.replace("127.0.0.1", "localhost")
        options = VirtualAuthenticatorOptions()
        options.has_resident_key = options.has_user_verification = options.is_user_verified = True
        chrome.driver.add_virtual_authenticator(options)
        chrome.open("/signin")
        registered_passkey(running, chrome, token_of(running, email, password))
        chrome.open("/device")
        chrome.driver.find_element(By.LINK_TEXT, "Sign in with a passkey").click()
        chrome.press("Use a passkey")
        assert chrome.title == "Confirm a device", chrome.text
        chrome.open("/signin")
        chrome.press("Sign out")
        chrome.sign_in(email, password)
        assert chrome.title == "Second step" and "Or use a recovery code" in chrome.text, chrome.text
        chrome.press("Use a passkey")
        assert chrome.title == "You are signed in", chrome.text
        chrome.assert_quiet()
