// What people do with the pages, and what others try. Each is one test: `node flows.mjs <url> <name>`.
import assert from "node:assert/strict";

import { OTHER, PASSWORD, Site, enters, leaves, opens } from "./browser.mjs";

const [, , url, name] = process.argv;
const sent = "main form button:not([type=button])";
const session = async (context) => (await context.cookies()).find((cookie) => cookie.name === "vestibule_session");

/** An administrator finds somebody, keeps them out, and lets them in again. */
async function disables(site, options) {
  await site.hasAccount("ada@example.org");
  const ada = await (await site.person()).newPage();
  await site.signsIn(ada, "ada@example.org");
  await ada.waitForURL(/\/account/);
  const page = await (await site.person(options)).newPage();
  await site.signsIn(page, "root@example.org", PASSWORD, "/login?return_to=/admin/users");
  await page.waitForURL(/\/admin\/users$/);
  await page.fill("#q", "ada");
  await page.click(".tools > button");
  await page.waitForURL(/q=ada/);
  await page.click(".tabs a[href*='status=active']");
  await page.waitForURL(/q=ada.*status=active/);
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.click("tbody a");
  await opens(page, "disable");
  await page.fill("#disable-reason", "lost the phone");
  await page.click("form[action$='/disable'] button");
  await page.waitForURL(/said=disable/);
  assert.match(await page.textContent("[role=status]"), /signed out everywhere/);
  assert.match(await page.textContent("#timeline"), /reason: lost the phone/);
  await ada.goto("/account");
  assert.match(ada.url(), /\/login/, "the session has ended at once");
  await site.signsIn(ada, "ada@example.org");
  assert.match(await ada.textContent("[role=alert]"), /disabled/);
  await opens(page, "enable");
  await page.click("form[action$='/enable'] button");
  await page.waitForURL(/said=enable/);
  await site.signsIn(ada, "ada@example.org");
  await ada.waitForURL(/\/account/);
}

/** Chooses dark, with what was typed still there, and finds it again; then leaves it to the system. */
async function theme(site, options) {
  const page = await (await site.person({ colorScheme: "light", ...options })).newPage();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const chooses = async (name) => {
    await page.locator(".foot summary").last().click();
    await page.click(`[data-look=${name}]`);
  };
  await page.goto("/login");
  const light = await background();
  await page.fill("#login", "ada@example.org");
  await chooses("dark");
  await page.waitForSelector("html[data-theme=dark]");
  assert.equal(await page.inputValue("#login"), "ada@example.org");
  assert.notEqual(await background(), light);
  for (let tries = 0; tries < 100 && !(await page.context().cookies()).some(({ name }) => name === "vestibule_theme"); tries++) {
    await page.waitForTimeout(20);
  }
  await page.goto("/signup");
  assert.equal(await page.getAttribute("html", "data-theme"), "dark", "remembered");
  await chooses("system");
  await page.waitForSelector("html:not([data-theme])");
  assert.equal(await background(), light);
}

const flows = {
  theme: (site) => theme(site),
  themeWithoutScripts: (site) => theme(site, { javaScriptEnabled: false }),

  // A row opens for whoever comes by its link, and where something is wrong.
  async rows(site) {
    await site.hasAccount("ada@example.org");
    const page = await (await site.person()).newPage();
    await site.signsIn(page, "ada@example.org", PASSWORD, "/login?return_to=/account%23export");
    await page.waitForURL(/#export$/);
    assert.ok(await page.isVisible("#export a[download]"), "opened by its link");
    assert.equal(await page.isVisible("#delete button"), false, "deletion is last and closed");
    await page.click("#delete-row > summary");
    await page.fill("#delete-password", "not-the-password");
    await page.click("#delete button:not([type=button])");
    await page.waitForSelector("#delete [role=alert]");
    assert.equal(await page.locator("details.row[open]").count(), 1, "the one with the mistake");
    assert.equal(await page.evaluate(() => document.activeElement.id), "delete-password");
  },

  // After its last second the button for another code comes first.
  async codeIsOver(site) {
    const page = await (await site.person()).newPage();
    await page.clock.install();
    await site.signsUp(page, "ada@example.org");
    assert.match(await page.textContent("#code-hint"), /Code expires in (1:00|0:\d\d)/);
    assert.equal(await page.isDisabled("[data-countdown]"), true);
    await page.clock.runFor(61000);
    assert.match(await page.textContent("#code-hint"), /expired/);
    assert.equal(await page.getAttribute("[data-countdown]", "class").then((names) => /\bplain\b/.test(names)), false);
    assert.equal(await page.isDisabled("[data-countdown]"), false);
  },

  // An address that is one letter off.
  async misspelled(site) {
    const page = await (await site.person()).newPage();
    await site.signsUp(page, "ada@gmial.com");
    assert.match(await page.textContent(".note.warn:visible"), /Did you mean gmail\.com\?/);
  },

  // From the form to the account, by the link, in the browser that signed up: no password a second time (S4).
  async signUp(site) {
    const context = await site.person();
    const page = await context.newPage();
    await site.signsUp(page, "ada@example.org");
    const { link } = await site.mail("ada@example.org");
    const mail = await context.newPage();
    await mail.goto(link);
    assert.equal(await mail.locator("#password").count(), 0);
    assert.equal(await session(context), undefined, "opening the link signs nobody in");
    await mail.click(sent);
    await mail.waitForURL(/\/account/);
    assert.match(await mail.textContent("main"), /ada@example\.org/);
    const cookie = await session(context);
    assert.ok(cookie.httpOnly && cookie.sameSite === "Lax" && cookie.path === "/");
    const device = (await context.cookies()).find((cookie) => cookie.name === "vestibule_device");
    assert.ok(device.httpOnly && device.value.length > 20, "the browser is known from now on (L4)");
    await page.waitForURL(/\/account/, { timeout: 20000 });
  },

  async signUpByCode(site) {
    const page = await (await site.person()).newPage();
    await site.signsUp(page, "ada@example.org");
    const { code } = await site.mail("ada@example.org");
    // Its last digit sends it.
    await page.fill("#code", ` ${code.slice(0, 2)} ${code.slice(2)} `);
    await page.waitForURL(/\/account/);
  },

  // Every page without scripts.
  async withoutScripts(site) {
    const context = await site.person({ javaScriptEnabled: false });
    const page = await context.newPage();
    await site.signsUp(page, "ada@example.org");
    await page.click("form[action='/check-mail/continue'] button");
    await page.waitForURL(/said=waiting/);
    const { link } = await site.mail("ada@example.org");
    const phone = await (await site.person({ javaScriptEnabled: false })).newPage();
    await phone.goto(link);
    await phone.fill("#password", PASSWORD);
    await phone.click(sent);
    await phone.waitForURL(/\/account/);
    await page.click("form[action='/check-mail/continue'] button");
    await page.waitForURL(/\/account/);
    await opens(page, "profile");
    await page.fill("#profile-user_name", "countess");
    await page.click("#profile button");
    await page.waitForURL(/said=profile/);
    await leaves(page);
    await page.waitForURL(/\/login\?said=signed_out/);
    await site.signsIn(page, "countess");
    await page.waitForURL(/\/account/);
  },

  // The laptop waits, the phone confirms: the laptop goes on by itself.
  async anotherDevice(site) {
    const laptop = await site.person();
    const page = await laptop.newPage();
    await site.signsUp(page, "ada@example.org");
    const { link } = await site.mail("ada@example.org");
    const phone = await (await site.person({ viewport: { width: 390, height: 800 } })).newPage();
    await phone.goto(link);
    await phone.fill("#password", "not-the-password");
    await phone.click(sent);
    await phone.waitForSelector("[role=alert]");
    assert.equal(await phone.evaluate(() => document.activeElement?.id), "password", "one mistake: its field is where one is");
    assert.equal(await phone.getAttribute("#password", "aria-invalid"), "true");
    const mistake = await phone.getAttribute("#password", "aria-describedby");
    assert.equal(await phone.getAttribute(`#${mistake}`, "role"), "alert");
    assert.equal(await session(laptop), undefined);
    await phone.fill("#password", PASSWORD);
    await phone.click(sent);
    await phone.waitForURL(/\/account/);
    await page.waitForURL(/\/account/, { timeout: 20000 });
    assert.ok(await session(laptop));
  },

  // Mail scanners open links, with scripts and for a while (S8).
  async scanner(site) {
    await site.api("/v1/signup", { email: "ada@example.org", password: PASSWORD });
    const { link } = await site.mail("ada@example.org");
    for (const method of ["HEAD", "GET", "OPTIONS"]) {
      assert.ok((await fetch(link, { method })).status < 300, method);
    }
    const context = await site.person();
    const page = await context.newPage();
    for (const address of [link, link.replace("?token=", "#token=")]) {
      await page.goto(address);
      await page.mouse.move(200, 300);
      await page.mouse.wheel(0, 500);
      await page.waitForTimeout(5000);
    }
    assert.equal(await session(context), undefined);
    const login = await site.api("/v1/login", { email: "ada@example.org", password: PASSWORD });
    assert.equal(login.body.code, "email_not_confirmed");
    await page.fill("#password", PASSWORD);
    await page.click(sent);
    await page.waitForURL(/\/account/);
  },

  async forgotten(site) {
    await site.hasAccount("ada@example.org");
    const other = await (await site.person()).newPage();
    await site.signsIn(other, "ada@example.org");
    await other.waitForURL(/\/account/);
    const welcome = await site.mail("ada@example.org");
    const page = await (await site.person()).newPage();
    await page.goto("/forgot");
    await page.fill("#email", "ada@example.org");
    await page.click(sent);
    await page.waitForSelector("text=If there’s an account");
    let mail = welcome;
    while (!mail.link?.includes("/reset")) mail = await site.mailAfter("ada@example.org", mail.subject);
    await page.goto(mail.link);
    await page.fill("#new_password", "password1");
    await page.waitForSelector("[role=status]:has-text('too common')");
    await page.fill("#new_password", OTHER);
    await page.waitForSelector("[role=status]:has-text('Strong enough')");
    await page.click(sent);
    await page.waitForSelector("text=Your password is changed");
    await other.goto("/account");
    assert.match(other.url(), /\/login/, "the other session has ended");
    await site.signsIn(page, "ada@example.org", OTHER);
    await page.waitForURL(/\/account/);
  },

  // B2: a page of somebody else sends our forms.
  async forged(site) {
    await site.hasAccount("ada@example.org");
    const context = await site.person({ strays: /^http:\/\/evil\.test\// });
    const page = await context.newPage();
    await site.signsIn(page, "ada@example.org");
    await page.waitForURL(/\/account/);
    for (const [path, fields] of [
      ["/account/profile", { user_name: "mallory" }], ["/account/delete", { password: PASSWORD }], ["/logout", {}],
      ["/login", { login: "eve@example.org", password: PASSWORD }], ["/account/sessions/end", {}],
    ]) {
      const inputs = Object.entries(fields).map(([key, value]) => `<input name="${key}" value="${value}">`).join("");
      const body = `<form method="post" action="${site.url}${path}">${inputs}</form><script>document.forms[0].submit()</script>`;
      await context.route("http://evil.test/**", (route) => route.fulfill({ contentType: "text/html", body }));
      const answered = page.waitForResponse((answer) => answer.url() === site.url + path);
      await page.goto("http://evil.test/").catch(() => {});
      // Refused, or, because a foreign page's request carries no cookie, sent to sign in.
      const answer = await answered;
      const sentAway = answer.status() === 303 && answer.headers().location.startsWith("/login?");
      assert.ok(answer.status() === 403 || sentAway, `${path} ${answer.status()}`);
      await context.unroute("http://evil.test/**");
    }
    await page.goto("/account");
    assert.match(page.url(), /\/account$/, "still signed in");
    assert.equal(await page.inputValue("#profile-user_name"), "");
  },

  // B3
  async returnTo(site) {
    await site.hasAccount("ada@example.org");
    for (const wanted of ["//evil.test", "/\\evil.test", "https://evil.test/", "/%2f%2fevil.test", "javascript:alert(1)",
      "/\t/evil.test", "https:evil.test", "/..//evil.test"]) {
      const page = await (await site.person()).newPage();
      await site.signsIn(page, "ada@example.org", PASSWORD, `/login?return_to=${encodeURIComponent(wanted)}`);
      await page.waitForURL(`${site.url}/account`);
      await page.context().close();
    }
    const page = await (await site.person()).newPage();
    await site.signsIn(page, "ada@example.org", PASSWORD, "/login?return_to=/docs/errors");
    await page.waitForURL(`${site.url}/docs/errors`);
  },

  // M12: with every other host out of reach.
  async docs(site) {
    const page = await (await site.person()).newPage();
    await page.goto("/docs");
    await page.waitForSelector(".opblock");
    await page.waitForSelector("text=Authorize");
    assert.ok((await page.locator(".opblock").count()) > 20);
    assert.equal(await page.locator(".opblock-tag").first().getAttribute("data-tag"), "Sign-up");
    assert.equal(await page.locator(".opblock-body").count(), 0, "every operation is closed");
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForSelector("html.dark-mode");
    assert.notEqual(await background(), light, "dark where the system is");
    await page.click("text=Error codes");
    await page.waitForURL(/\/docs\/errors$/);
    await page.goBack();
    await page.click(".top .brand");
    await page.waitForURL(/\/$/);
  },

  // The reference signs in with code and PKCE, as the client of the development mode; and it keeps the token of a sign-in that is
  // tried on it.
  async docsSignIn(site) {
    const email = "ada@example.org";
    await site.hasAccount(email);
    const page = await (await site.person()).newPage();
    const answerOf = async (operation, body) => {
      const block = page.locator(`#operations-Sign-in-${operation}`);
      await block.locator(".opblock-summary-control").click();
      if (body) await block.locator("textarea").fill(JSON.stringify(body));
      await block.locator(".execute").click();
      return JSON.parse(await block.locator(".live-responses-table pre").first().textContent());
    };
    await page.goto("/docs");
    await page.click(".btn.authorize");
    const oauth = page.locator(".auth-container", { hasText: "authorizationCode" });
    assert.equal(await oauth.locator("[data-name=clientId]").inputValue(), "dev");
    const [popup] = await Promise.all([page.waitForEvent("popup"), oauth.locator("button.authorize").click()]);
    await popup.waitForURL(/\/login/);
    await popup.fill("#login", email);
    await popup.fill("#password", PASSWORD);
    await popup.click("#form button:not([type=button])");
    await Promise.all([popup.waitForEvent("close"), popup.click("[value=allow]")]);
    await oauth.locator("button:has-text('Logout')").waitFor();
    await page.click(".btn-done");
    assert.equal((await answerOf("user_info")).email, email);
    await answerOf("sign_in", { email, password: PASSWORD });
    await page.click(".btn.authorize");
    await page.locator(".auth-container", { hasText: "(http, Bearer)" }).locator("button:has-text('Logout')").waitFor();
  },

  disables: (site) => disables(site),
  disablesWithoutScripts: (site) => disables(site, { javaScriptEnabled: false }),

  // O4: with the own password, and never without it.
  async roles(site) {
    await site.hasAccount("ada@example.org");
    const ada = await (await site.person()).newPage();
    await site.signsIn(ada, "ada@example.org");
    await ada.waitForURL(/\/account/);
    const page = await (await site.person()).newPage();
    await site.signsIn(page, "root@example.org", PASSWORD, "/login?return_to=/admin/users?q=ada");
    await page.click("tbody a");
    await opens(page, "roles");
    await page.fill("#roles-roles", "admin editor");
    await page.fill("#roles-own_password", "not-the-password");
    await page.click("#roles form button:not([type=button])");
    assert.match(await page.textContent("[role=alert]"), /not your password/);
    assert.equal((await ada.goto("/admin")).status(), 403);
    await page.fill("#roles-own_password", PASSWORD);
    await page.click("#roles form button:not([type=button])");
    await page.waitForURL(/said=roles/);
    assert.equal((await ada.goto("/admin")).status(), 200);
  },

  // What administrators do with sign-ups and mail, without scripts.
  async lists(site) {
    const page = await (await site.person({ javaScriptEnabled: false })).newPage();
    await site.signsIn(page, "root@example.org", PASSWORD, "/login?return_to=/admin");
    await page.waitForURL(/\/admin$/);
    for (const email of ["ada@example.org", "bob@example.org"]) {
      await site.api("/v1/signup", { email, password: PASSWORD });
      await site.mail(email);
    }
    await page.click(".figures a[href='/admin/registrations']");
    const ada = page.locator(".rows li", { hasText: "ada@example.org" });
    await ada.locator("button[formaction$='/resend']").click();
    await page.waitForURL(/said=too_soon/);
    const vouch = ada.locator("button[formaction$='/confirm']");
    assert.equal(await vouch.isVisible(), false, "confirming by hand takes two steps");
    await ada.locator("summary").click();
    await vouch.click();
    await page.waitForURL(/said=confirmed/);
    assert.equal(await ada.count(), 0);
    await site.signsIn(await (await site.person()).newPage(), "ada@example.org");
    const context = await site.person();
    const mailbox = await context.newPage();
    await mailbox.goto("/dev/mail");
    await mailbox.check("[value=permanent]");
    await mailbox.click("text=Switch");
    await site.api("/v1/signup", { email: "eve@example.org", password: PASSWORD });
    await page.goto("/admin");
    for (let tries = 0; tries < 100 && !(await page.locator(".note.bad").count()); tries++) await page.reload();
    await page.click(".note.bad a");
    await page.waitForURL(/\/admin\/mail\?state=failed/);
    assert.match(await page.textContent(".rows"), /e\*\*\*@example\.org/);
    await mailbox.check("[value=none]");
    await mailbox.click("text=Switch");
    await page.click("button[formaction$='/retry']");
    await page.waitForURL(/state=failed&said=retried/);
    await site.mail("eve@example.org");
    await page.click("nav a[href='/admin/audit']");
    await page.selectOption("#kind", "assisted");
    await page.click(".filters button");
    await page.waitForURL(/kind=assisted/);
    assert.match(await page.textContent("tbody"), /an administrator/);
    assert.equal(await page.locator("tbody tr").count(), 1);
  },

  async mailbox(site) {
    const page = await (await site.person()).newPage();
    await page.goto("/dev/mail");
    await site.api("/v1/signup", { email: "ada@example.org", password: PASSWORD });
    await page.waitForSelector("text=ada@example.org", { timeout: 20000 });
    await page.click(".rows a");
    const frame = page.frameLocator("iframe.mail");
    assert.match(await frame.locator("body").innerText(), /\d{4}/);
    await page.click("text=Source");
    assert.match(await page.textContent("pre"), /^Subject: /m);
    await page.click(".tabs >> text=Text");
    assert.match(await page.textContent("pre"), /\/confirm\?token=/);
    await page.goto("/dev/mail");
    await page.check("[value=temporary]");
    await page.click("text=Switch");
    await site.api("/v1/signup", { email: "bob@example.org", password: PASSWORD });
    await page.reload();
    await page.waitForSelector("text=told to fail");
    assert.equal(await page.locator("text=bob@example.org").count(), 0);
    await page.check("[value=none]");
    await page.click("text=Switch");
    assert.equal(await page.isChecked("[value=none]"), true);
  },
};

const site = await Site.open(url);
try {
  await flows[name](site);
} finally {
  await site.close();
}
