// Every page in every state that it can be brought to: accessible in both themes, whole at 320 and 1440 pixels.
// `cargo xtask look <folder>` keeps their pictures.
import assert from "node:assert/strict";

import { PASSWORD, Site, enters, look, opens } from "./browser.mjs";

const [, , url, part, told] = process.argv;
const sent = "main form button:not([type=button])";

const parts = {
  async signUp(site) {
    const page = await (await site.person()).newPage();
    for (const [path, name] of [["/", "home"], ["/signup", "signup"], ["/login", "login"], ["/forgot", "forgot"],
      ["/login?return_to=/account", "login-go-on"], ["/nowhere", "not-found"], ["/confirm", "confirm-bare"],
      ["/confirm?token=x", "confirm-incomplete"], ["/reset", "reset-incomplete"],
      ["/email/confirm?token=x", "email-confirm-incomplete"], ["/email/undo?token=x", "email-undo-incomplete"],
      ["/docs/errors", "errors"], ["/docs/errors/code_invalid", "error"]]) {
      await page.goto(path);
      await look(page, name);
    }
    await page.goto("/signup");
    await page.fill("#email", "ada@");
    await page.fill("#password", "short");
    await page.waitForSelector("[role=status]:has-text('too short')");
    await page.fill("#user_name", "a b");
    await page.click(sent);
    await look(page, "signup-wrong");
    await site.signsUp(page, "ada@example.org");
    await look(page, "check-mail");
    await page.fill("#code", "abc");
    await page.click("form[action='/check-mail'] button");
    await look(page, "check-mail-wrong");
    const { link } = await site.mail("ada@example.org");
    await page.goto(link);
    await look(page, "confirm-own");
    const phone = await (await site.person()).newPage();
    await phone.goto(link);
    await look(phone, "confirm");
    await phone.fill("#password", "not-the-password");
    await phone.click(sent);
    await look(phone, "confirm-wrong");
    await phone.fill("#password", PASSWORD);
    await phone.click(sent);
    await phone.waitForURL(/\/account/);
    await look(phone, "account-new");
    await phone.goto(link);
    await look(phone, "confirm-used");
    await page.goto("/login");
    await look(page, "login-waiting");
  },

  async account(site) {
    await site.hasAccount("ada@example.org");
    const context = await site.person();
    const page = await context.newPage();
    for (const password of ["not-the-password", PASSWORD]) {
      await site.signsIn(page, "ada@example.org", password);
      if (password !== PASSWORD) await look(page, "login-wrong");
    }
    await page.waitForURL(/\/account/);
    await site.signsIn(await (await site.person()).newPage(), "ada@example.org");
    await opens(page, "email");
    await page.fill("#email-email", "ada@example.com");
    await page.fill("#email-password", PASSWORD);
    await page.click("form[action='/account/email'] button:not([type=button])");
    await page.waitForURL(/said=email/);
    await look(page, "account");
    await opens(page, "password");
    await page.click("[data-show=password-current_password]");
    assert.equal(await page.getAttribute("#password-current_password", "type"), "text");
    await opens(page, "password");
    await page.fill("#password-current_password", "not-the-password");
    await page.fill("#password-new_password", "password1");
    await page.click("form[action='/account/password'] button:not([type=button])");
    await page.waitForSelector("[role=alert]");
    await look(page, "account-wrong");
    await page.goto("/");
    await look(page, "home-known");
    await page.goto("/account");
    await opens(page, "delete");
    await page.fill("#delete-password", PASSWORD);
    await page.click("form[action='/account/delete'] button:not([type=button])");
    await page.waitForSelector("h1");
    await look(page, "goodbye");
    await page.goto("/forgot");
    await page.fill("#email", "ada@example.org");
    await page.click(sent);
    await look(page, "forgot-sent");
    await page.goto("/confirm?token=x");
    await page.fill("#email", "ada@example.org");
    await page.click(sent);
    await look(page, "resend-sent");
    const elsewhere = await site.person({ strays: /^http:\/\/evil\.test\// });
    const body = `<form method="post" action="${site.url}/login"></form><script>document.forms[0].submit()</script>`;
    await elsewhere.route("http://evil.test/**", (route) => route.fulfill({ contentType: "text/html", body }));
    const forged = await elsewhere.newPage();
    await forged.goto("http://evil.test/").catch(() => {});
    await forged.waitForSelector("p.status:has-text('403')");
    await look(forged, "forbidden");
    for (let tries = 0; tries < 7; tries++) await site.signsIn(page, "eve@example.org", "not-the-password");
    await page.waitForSelector("[role=alert]");
    await look(page, "login-limited");
  },

  async languages(site) {
    const subjects = { de: /^Bitte bestätigen/, fr: /^Confirmez/, es: /^Confirma tu/, ar: /^تأكيد/ };
    for (const language of ["de", "fr", "es", "ar"]) {
      const page = await (await site.person({ locale: language })).newPage();
      await page.goto("/signup");
      assert.equal(await page.getAttribute("html", "lang"), language);
      assert.equal(await page.getAttribute("html", "dir"), language === "ar" ? "rtl" : "ltr");
      await look(page, `signup-${language}`);
      await page.click(sent);
      await look(page, `signup-wrong-${language}`);
      await site.signsUp(page, `ada-${language}@example.org`);
      await look(page, `check-mail-${language}`);
      const { code, subject } = await site.mail(`ada-${language}@example.org`);
      assert.match(subject, subjects[language], "mails speak the language of the page");
      await enters(page, code);
      await page.waitForURL(/\/account/);
      await look(page, `account-${language}`);
      await page.goto("/nowhere");
      await look(page, `not-found-${language}`);
    }
    // What is asked for in the address, and what somebody has set, counts before what the browser likes.
    const page = await (await site.person({ locale: "de" })).newPage();
    await page.goto("/login?lang=es");
    assert.equal(await page.getAttribute("html", "lang"), "es");
    await site.signsIn(page, "ada-de@example.org");
    await page.waitForURL(/\/account/);
    await opens(page, "profile");
    await page.selectOption("#profile-locale", "fr");
    await page.click("#profile button");
    await page.waitForURL(/said=profile/);
    assert.equal(await page.getAttribute("html", "lang"), "fr");
    const before = await site.mail("ada-de@example.org");
    await site.api("/v1/password/forgot", { email: "ada-de@example.org" });
    const { subject } = await site.mailAfter("ada-de@example.org", before.subject);
    assert.match(subject, /mot de passe/, "the owner's setting decides for mails, too");
  },

  // The first administrator, by the link that only the operator sees, and somebody invited.
  async joining(site, link) {
    const page = await (await site.person()).newPage();
    await page.goto(link);
    assert.match(await page.inputValue("#token"), /^[\w-]{43}$/, "the script takes the key from behind the #");
    assert.equal(new URL(page.url()).hash, "", "and out of the address");
    await look(page, "setup");
    await page.click(sent);
    await look(page, "setup-wrong");
    assert.match(await page.inputValue("#token"), /^[\w-]{43}$/);
    await page.fill("#email", "root@example.org");
    await page.fill("#password", PASSWORD);
    await page.click(sent);
    await page.waitForURL(/\/admin$/);
    const late = await (await site.person()).newPage();
    await late.goto(link);
    await late.fill("#email", "eve@example.org");
    await late.fill("#password", PASSWORD);
    await late.click(sent);
    await late.waitForSelector("text=vestibule setup-link");
    await look(late, "setup-gone");

    await page.goto("/admin/users");
    await page.fill("#invite-email", "ada@example.org");
    await page.click("#invite button:not([type=button])");
    const guest = await (await site.person()).newPage();
    await guest.goto((await site.mail("ada@example.org")).link);
    await look(guest, "invitation");
    await guest.fill("#password", "password1");
    await guest.click(sent);
    await look(guest, "invitation-wrong");
    await guest.fill("#password", PASSWORD);
    await guest.click(sent);
    await guest.waitForURL(/\/account/);
    await guest.goto("/invitation");
    await look(guest, "invitation-incomplete");
  },

  // A sign-up that asks for a company, the size of its team, and whether there may be a newsletter.
  async asked(site) {
    for (const [locale, label] of [["en", "Company"], ["de", "Firma"], ["ar", "Company"]]) {
      const page = await (await site.person({ locale })).newPage();
      await page.goto("/signup");
      await look(page, `signup-asked-${locale}`);
      const email = `${locale}@example.org`;
      await page.fill("#email", email);
      await page.fill("#password", PASSWORD);
      await page.click(sent);
      await page.click(`.note a:has-text("${label}")`);
      assert.equal(await page.evaluate(() => document.activeElement.id), "profile.company");
      await look(page, `signup-asked-wrong-${locale}`);
      await page.fill("[id='profile.company']", "Analytical Engines");
      await page.selectOption("[id='profile.team_size']", "2-10");
      await page.check("[id='profile.newsletter']");
      await page.fill("#password", PASSWORD);
      await page.click(sent);
      await page.waitForURL(/\/check-mail/);
      await enters(page, (await site.mail(email)).code);
      await page.waitForURL(/\/account/);
      assert.deepEqual((await site.account(email)).data, { company: "Analytical Engines", newsletter: true, team_size: "2-10" });
    }
  },

  // A sign-up that asks for the terms, which are elsewhere, with a line or a checkbox.
  async terms(site, consent) {
    for (const locale of ["en", "de", "fr", "es", "ar"]) {
      const page = await (await site.person({ locale })).newPage();
      await page.goto("/signup");
      await look(page, `signup-${consent}-${locale}`);
      assert.deepEqual(await page.locator("main form a").evaluateAll((links) => links.map((link) => link.href)),
        ["https://example.org/terms", "https://example.org/privacy"]);
      const email = `${consent}-${locale}@example.org`;
      await page.fill("#email", email);
      await page.fill("#password", PASSWORD);
      if (consent === "checkbox") {
        await page.click(sent);
        await page.waitForSelector("#terms_accepted-mistake");
        await look(page, `signup-checkbox-wrong-${locale}`);
        await page.fill("#password", PASSWORD);
        await page.focus("#terms_accepted");
        await page.keyboard.press("Space");
      }
      await page.click(sent);
      await page.waitForURL(/\/check-mail/);
      await enters(page, (await site.mail(email)).code);
      await page.waitForURL(/\/account/);
      const me = await site.account(email);
      assert.ok(Date.parse(me.terms_accepted_at) <= Date.parse(me.created_at));
    }
  },

  async closed(site, mode) {
    const page = await (await site.person()).newPage();
    for (const [path, name] of [["/signup", "signup"], ["/login", "login"], ["/", "home"]]) {
      await page.goto(path);
      await look(page, `${name}-${mode}`);
      assert.equal(await page.locator("form[action='/signup'], a[href='/signup']").count(), 0, name);
    }
  },

  // The database is gone: nothing is lost, and people are told to come back.
  async outage(site) {
    for (const locale of ["en", "ar"]) {
      const page = await (await site.person({ locale })).newPage();
      await site.signsIn(page, "ada@example.org");
      await page.waitForSelector("p.status:has-text('503')");
      await look(page, `unavailable-${locale}`);
    }
  },

  async users(site) {
    const names = ["ada", "bob", "carla", "dmitri", "a-person-with-a-rather-long-name.and-more"];
    for (const name of names) await site.hasAccount(`${name}@example.org`);
    const signedIn = async (options) => {
      const page = await (await site.person(options)).newPage();
      await site.signsIn(page, "root@example.org", PASSWORD, "/login?return_to=/admin/users");
      await page.waitForURL(/\/admin\/users/);
      return page;
    };
    const send = (page, part) => page.click(`${part} button:not([type=button])`);
    const page = await signedIn();
    await page.click("text=bob@example.org");
    await opens(page, "disable");
    await page.fill("#disable-reason", "asked for it by phone");
    await send(page, "form[action$='/disable']");
    await look(page, "user-disabled");
    await page.goto("/admin/users");
    await look(page, "users");
    await page.goto("/admin/users?q=zoe");
    await look(page, "users-none");
    await page.goto("/admin/users?status=gone");
    await look(page, "users-filter-wrong");
    await page.fill("#invite-email", "eve@");
    await page.fill("#invite-roles", "Editor in chief");
    await send(page, "#invite form");
    await look(page, "users-invite-wrong");
    await page.fill("#invite-email", "eve@example.org");
    await page.fill("#invite-roles", "");
    await send(page, "#invite form");
    await page.waitForURL(/said=invited/);
    await look(page, "users-invited");
    for (let tries = 0; tries < 5; tries++) {
      await site.api("/v1/login", { email: "ada@example.org", password: "not-the-password" });
    }
    await page.goto("/admin/users?q=ada");
    await page.click("text=ada@example.org");
    await look(page, "user-limited");
    await opens(page, "clear");
    await page.fill("#clear-reason", "rang us");
    await send(page, "form[action$='/clear-limits']");
    await page.waitForURL(/said=clear/);
    await site.signsIn(await (await site.person()).newPage(), "ada@example.org");
    const { access_token: token } = (await site.api("/v1/login", { email: "ada@example.org", password: PASSWORD })).body;
    await fetch(`${url}/v1/me/email`, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ email: "ada@example.com", password: PASSWORD }) });
    await opens(page, "reset");
    await page.fill("#reset-reason", "rang us");
    await send(page, "form[action$='/reset-link']");
    await page.waitForURL(/said=reset/);
    await look(page, "user");
    await opens(page, "roles");
    await page.fill("#roles-roles", "editor Chief");
    await page.fill("#roles-own_password", PASSWORD);
    await send(page, "#roles form");
    await look(page, "user-roles-wrong");
    await opens(page, "delete");
    await page.fill("#delete-email", "bob@example.org");
    await send(page, "#delete form");
    await look(page, "user-delete-wrong");
    for (const language of ["de", "ar"]) {
      const other = await signedIn({ locale: language });
      await look(other, `users-${language}`);
      await other.click("text=ada@example.org");
      await look(other, `user-${language}`);
    }
  },

  async applications(site) {
    const page = await (await site.person()).newPage();
    const send = (part = "main form") => page.click(`${part} button:not([type=button])`);
    await site.signsIn(page, "root@example.org", PASSWORD, "/login?return_to=/admin/new-client");
    await page.waitForURL(/\/admin\/new-client/);
    await look(page, "application-new");
    await page.fill("#id", "The Shop");
    await page.fill("#name", "Example Shop");
    await page.fill("#redirect_uris", "http://shop.example.org/callback");
    await page.fill("#scopes", "orders:read\norders:write");
    await send();
    await look(page, "application-new-wrong");
    await page.fill("#id", "shop");
    await page.fill("#redirect_uris", "https://shop.example.org/callback\nhttps://a-department-with-a-long-name.shop.example.org/oauth/callback");
    await page.fill("#own_password", PASSWORD);
    await send();
    await page.waitForSelector("text=We show it only now");
    await look(page, "application-secret");
    await page.click("text=The application has it");
    await page.waitForURL(/\/admin\/clients\/shop$/);
    await page.fill("#secret-own_password", PASSWORD);
    await send("form[action$='/secret']");
    await page.waitForSelector("text=goes on working until you drop it");
    await look(page, "application-secrets");
    for (const language of ["en", "de", "fr", "es", "ar"]) {
      for (const [path, name] of [["clients", "applications"], ["clients/shop", "application"], ["new-client", "application-new"], ["clients/dev", "application-of-settings"]]) {
        await page.goto(`/admin/${path}?lang=${language}`);
        await look(page, `${name}-${language}`);
      }
    }
  },

  async mailbox(site) {
    const page = await (await site.person()).newPage();
    await page.goto("/dev/mail");
    await look(page, "mailbox-empty");
    await site.hasAccount("ada@example.org");
    // The page loads itself again with every message: the second one, the welcome, is the last.
    await page.waitForFunction(() => document.querySelector("a[href$='/dev/mail/2']"));
    await look(page, "mailbox");
    for (const view of ["html", "text", "source"]) {
      await page.goto(`/dev/mail/1?view=${view}`);
      await look(page, `mailbox-${view}`);
    }
    await page.goto("/dev/mail");
    await page.check("[value=permanent]");
    await page.click("text=Switch");
    await look(page, "mailbox-failing");
    await page.check("[value=unreachable]");
    await page.click("text=Switch");
    const waiting = await (await site.person()).newPage();
    await site.signsUp(waiting, "bob@example.org");
    const told = waiting.locator("text=Email is running late");
    for (let tries = 0; tries < 50 && !(await told.count()); tries += 1) await waiting.reload();
    await look(waiting, "check-mail-delayed");
    assert.equal(await told.count(), 1);
  },

  async lists(site) {
    const mailbox = await (await site.person()).newPage();
    const relay = async (fault) => {
      await mailbox.goto("/dev/mail");
      await mailbox.check(`[value=${fault}]`);
      await mailbox.click("text=Switch");
    };
    const page = await (await site.person()).newPage();
    await site.signsIn(page, "root@example.org");
    for (const path of ["registrations", "mail?state=failed"]) {
      await page.goto(`/admin/${path}`);
      await look(page, `admin-${path.slice(0, 4)}-empty`);
    }
    await site.hasAccount("ada@example.org");
    for (const email of ["bob@example.org", "ada@example.org", "somebody.with.a.long.name@department.example.org"]) {
      await site.api("/v1/signup", { email, password: PASSWORD });
      await site.mail(email);
    }
    await site.signsIn(await (await site.person()).newPage(), "ada@example.org", "not-the-password");
    for (const [fault, email] of [["permanent", "eve@example.org"], ["temporary", "zoe@example.org"]]) {
      await relay(fault);
      await site.api("/v1/signup", { email, password: PASSWORD });
      await page.goto("/admin");
      const notes = fault === "permanent" ? 1 : 2;
      for (let tries = 0; tries < 200 && (await page.locator(".note.bad").count()) < notes; tries++) await page.reload();
      assert.equal(await page.locator(".note.bad").count(), notes);
    }
    for (const language of ["en", "ar"]) {
      await page.goto(`/admin?lang=${language}`);
      await page.click("main .more > summary");
      await look(page, `admin-overview-${language}`);
      await page.goto("/admin/registrations?said=one_waits");
      await page.locator("main summary").first().click();
      await look(page, `admin-registrations-${language}`);
      await page.goto("/admin/mail");
      await page.locator("main summary").first().click();
      await look(page, `admin-mail-${language}`);
      await page.goto("/admin/audit");
      await look(page, `admin-audit-${language}`);
    }
    await page.goto("/admin/mail?state=failed&lang=en");
    await look(page, "admin-mail-failed");
    await page.goto("/admin/audit?email=ada&kind=x");
    await look(page, "admin-audit-wrong");
    await page.goto("/admin/registrations?cursor=x");
    await look(page, "admin-registrations-wrong");
  },
};

const site = await Site.open(url);
try {
  await parts[part](site, told);
} finally {
  await site.close();
}
