// Ways through several pages that people take, and where they used to get lost. Each is one test: `node journeys.mjs <url> <name>`.
import assert from "node:assert/strict";

import { OTHER, PASSWORD, Site, enters, leaves, look, opens, speaks } from "./browser.mjs";

const [, , url, name] = process.argv;
const APP = "https://app.test/in?from=accounts";
const send = (page) => page.click("main form button:not([type=button])");

/** Choosing a language on a page with a form, and again on that page with an error. */
async function languages(site, options) {
  const page = await (await site.person({ locale: "de", ...options })).newPage();
  await page.goto("/login?return_to=/docs/errors");
  await page.fill("#login", "ada@example.org");
  await speaks(page, "es");
  await page.waitForSelector("html[lang=es]");
  assert.equal(await page.inputValue("#login"), "ada@example.org");
  assert.equal(await page.getAttribute("[name=return_to]", "value"), "/docs/errors");
  await page.goto("/signup");
  assert.equal(await page.getAttribute("html", "lang"), "es");
  await page.fill("#email", "ada@");
  await page.fill("#password", PASSWORD);
  await page.fill("#user_name", "countess");
  await speaks(page, "fr");
  await page.waitForSelector("html[lang=fr]");
  const typed = async () => [await page.inputValue("#email"), await page.inputValue("#password"), await page.inputValue("#user_name")];
  assert.deepEqual(await typed(), ["ada@", "", "countess"]);
  assert.equal(await page.locator("[role=alert]").count(), 0);
  if (!options) await look(page, "signup-other-language");
  await page.fill("#password", "short");
  await send(page);
  await page.waitForSelector("[role=alert]");
  await speaks(page, "ar");
  await page.waitForSelector("html[lang=ar][dir=rtl]");
  assert.deepEqual(await typed(), ["ada@", "", "countess"]);
  await page.fill("#email", "ada@example.org");
  await page.fill("#password", PASSWORD);
  await page.press("#password", "Enter");
  await page.waitForURL(/\/check-mail$/);
  assert.equal(await page.getAttribute("html", "lang"), "ar");
  await page.fill("#code", "12");
  await speaks(page, "en");
  await page.waitForSelector("html[lang=en]");
  assert.equal(await page.inputValue("#code"), "12");
}

const journeys = {
  // The page learns that the account is confirmed while the answer to its own code is still under way.
  async codeUnderWay(site) {
    const page = await (await site.person()).newPage();
    await site.signsUp(page, "ada@example.org");
    await page.route("**/check-mail", async (route) => {
      const request = route.request();
      const headers = await request.allHeaders();
      // Past the browser, so that it has no cookie of the answer yet.
      const answer = await fetch(request.url(), { method: "POST", headers, body: request.postData(), redirect: "manual" });
      for (let asked = 0; asked < 2; asked++) {
        assert.equal((await page.waitForResponse("**/check-mail/state")).status(), 200);
      }
      const cookies = { "set-cookie": answer.headers.getSetCookie().join("\n") };
      await route.fulfill({ status: answer.status, headers: { ...Object.fromEntries(answer.headers), ...cookies } });
    });
    await enters(page, (await site.mail("ada@example.org")).code);
    await page.waitForURL(/\/account/);
  },

  // Everything as an Arabic or Persian keyboard and the clipboard of a phone give it.
  async otherKeyboards(site) {
    for (const [language, zero] of [["ar", 0x660], ["fa", 0x6f0]]) {
      const page = await (await site.person({ locale: language })).newPage();
      const email = `ada-${language}@example.org`;
      await page.goto("/signup?lang=ar");
      await page.fill("#email", `\u202b${email}\u202c `);
      await page.fill("#password", PASSWORD);
      await page.fill("#user_name", language === "ar" ? " طه\u200f" : " لی\u200f");
      await send(page);
      await page.waitForURL(/\/check-mail/);
      assert.match(await page.textContent(".intro"), /60 ثانية/, "units are words");
      const { code } = await site.mail(email);
      const typed = [...code].map((digit) => String.fromCodePoint(zero + Number(digit)));
      await enters(page, `\u202b${typed.join(" ")}\u202c`);
      await page.waitForURL(/\/account/);
      assert.equal(await page.inputValue("#profile-user_name"), language === "ar" ? "طه" : "لی");
    }
    const page = await (await site.person()).newPage();
    await site.signsUp(page, "bob@example.org");
    assert.match(await page.textContent(".intro"), /works for 60 seconds/);
  },

  languages: (site) => languages(site),
  languagesWithoutScripts: (site) => languages(site, { javaScriptEnabled: false }),

  // What the account is kept in, what the browser chose, and a form in hand on a page with several.
  async languageOfTheAccount(site) {
    const page = await (await site.person({ locale: "de" })).newPage();
    await site.signsUp(page, "ada@example.org");
    await enters(page, (await site.mail("ada@example.org")).code);
    await page.waitForURL(/\/account/);
    assert.equal(await page.getAttribute("html", "lang"), "de");
    await opens(page, "profile");
    await page.fill("#profile-user_name", "countess");
    await speaks(page, "es");
    await page.waitForSelector("html[lang=es]");
    assert.equal(await page.inputValue("#profile-user_name"), "countess");
    assert.equal(await page.inputValue("#profile-locale"), "de");
    await look(page, "account-other-language");
    for (const path of ["/", "/account", "/nowhere"]) {
      await page.goto(path);
      assert.equal(await page.getAttribute("html", "lang"), "es", path);
    }
    await speaks(page, "de");
    assert.match(page.url(), /\/nowhere\?lang=de$/);
    assert.equal(await page.getAttribute("html", "lang"), "de", "problems offer them, too");
    await page.goto("/account");
    assert.equal(await page.inputValue("#profile-user_name"), "", "nothing was saved");
    await opens(page, "profile");
    await page.selectOption("#profile-locale", "fr");
    await page.click("#profile button");
    await page.waitForURL(/said=profile/);
    assert.equal(await page.getAttribute("html", "lang"), "fr");
  },

  // Whoever comes from the application is back there: by code, by link, from another device, with a forgotten password.
  async backToTheApplication(site) {
    const arrives = async () => {
      const page = await (await site.person({ strays: /^https:\/\/app\.test\// })).newPage();
      await page.goto(`/login?return_to=${encodeURIComponent(APP)}`);
      return page;
    };
    // The application is not there, but it is asked for: no policy of the form stands against it.
    const leadsBack = async (page, act) => {
      const asked = page.waitForRequest(APP);
      await act();
      await asked;
    };
    const signsUp = async (page, email) => {
      await page.click("a[href^='/signup']");
      await page.fill("#email", email);
      await page.fill("#password", PASSWORD);
      await send(page);
      await page.waitForURL(/\/check-mail$/);
      return site.mail(email);
    };
    const page = await arrives();
    const { code } = await signsUp(page, "ada@example.org");
    await leadsBack(page, () => enters(page, code));

    const tab = await arrives();
    const link = await tab.context().newPage();
    await link.goto((await signsUp(tab, "bob@example.org")).link);
    await leadsBack(link, () => send(link));

    const laptop = await arrives();
    const mail = await signsUp(laptop, "carla@example.org");
    const phone = await (await site.person()).newPage();
    await phone.goto(mail.link);
    await phone.fill("#password", PASSWORD);
    await leadsBack(laptop, () => send(phone));
    await phone.waitForURL(/\/account/);

    const forgetful = await arrives();
    await forgetful.click("a[href^='/forgot']");
    await forgetful.fill("#email", "ada@example.org");
    await send(forgetful);
    await forgetful.waitForSelector("text=If there’s an account");
    let reset = await site.mail("ada@example.org");
    while (!reset.link?.includes("/reset")) reset = await site.mailAfter("ada@example.org", reset.subject);
    await forgetful.goto(reset.link);
    await forgetful.fill("#new_password", OTHER);
    await send(forgetful);
    await forgetful.click("main a[href^='/login']");
    await forgetful.fill("#login", "ada@example.org");
    await forgetful.fill("#password", OTHER);
    await leadsBack(forgetful, () => send(forgetful));
  },

  // Signed up elsewhere: the right password leads to where the code is entered, and so does another mail.
  async unconfirmed(site) {
    await site.api("/v1/signup", { email: "ada@example.org", password: PASSWORD });
    const { code } = await site.mail("ada@example.org");
    const page = await (await site.person()).newPage();
    await site.signsIn(page, "ada@example.org", OTHER, "/login?return_to=/docs/errors");
    assert.match(await page.textContent("[role=alert]"), /That email or password isn’t right/);
    assert.equal(await page.locator("text=confirmed").count(), 0);
    await page.fill("#password", PASSWORD);
    await send(page);
    await page.waitForURL(/\/check-mail/);
    assert.match(await page.textContent("[role=status]"), /isn’t confirmed yet/);
    await look(page, "check-mail-unconfirmed");
    await enters(page, code);
    await page.waitForURL(/\/docs\/errors$/);

    await site.api("/v1/signup", { email: "bob@example.org", password: PASSWORD });
    const mail = await site.mail("bob@example.org");
    for (const options of [{ locale: "ar" }, { javaScriptEnabled: false }]) {
      const other = await (await site.person(options)).newPage();
      await other.goto("/confirm?token=x");
      await other.fill("#email", "bob@example.org");
      await send(other);
      await other.waitForSelector("form[action='/login'] #password");
      if (options.locale) await look(other, "resend-sent-ar");
      await other.fill("#password", PASSWORD);
      await other.click("form[action='/login'] button:not([type=button])");
      await other.waitForURL(/\/check-mail/);
      await other.waitForSelector("#code");
      // In a browser that waits, another mail leads there at once.
      await other.goto("/confirm?token=x");
      await other.fill("#email", "bob@example.org");
      await send(other);
      await other.waitForURL(/\/check-mail\?said=soon$/);
      if (options.locale) continue;
      await enters(other, mail.code);
      await other.waitForURL(/\/account/);
    }
  },

  // Behind every mailed link: whom it is about, and at once when it has done its work or works no more.
  async mailedLinks(site) {
    const admin = await (await site.person()).newPage();
    await site.signsIn(admin, "root@example.org", PASSWORD, "/login?return_to=/admin/users");
    const invites = async (email) => {
      await admin.goto("/admin/users");
      await admin.fill("#invite-email", email);
      await admin.click("#invite button:not([type=button])");
      await admin.waitForURL(/said=invited/);
      return (await site.mail(email)).link;
    };
    const visits = async (link, options) => {
      const page = await (await site.person(options)).newPage();
      await page.goto(link);
      return page;
    };
    const about = async (page, masked, whole) => {
      assert.match(await page.innerText("main"), new RegExp(`${masked.replace(/[*.]/g, "\\$&")}`));
      assert.ok(!(await page.innerText("main")).includes(whole), "nobody reads it over a shoulder");
      assert.equal(await page.inputValue("form[id=form] [autocomplete=username]"), whole, "the password manager knows it");
      assert.equal(await page.isVisible("form[id=form] [autocomplete=username]"), false);
    };
    const isOver = async (page, words) => {
      assert.match(await page.textContent("main"), words);
      assert.equal(await page.locator("[type=password]").count(), 0, "no password is asked for");
    };

    // An invitation: replaced, accepted.
    const replaced = await invites("bob@example.org");
    const before = (await site.mail("bob@example.org")).link;
    let invitation = before;
    await invites("bob@example.org");
    while (invitation === before) invitation = (await site.mail("bob@example.org")).link;
    const late = await visits(replaced);
    await isOver(late, /ask whoever invited you/);
    await look(late, "invitation-expired");
    const bob = await visits(invitation);
    await about(bob, "b***@example.org", "bob@example.org");
    await look(bob, "invitation-whom");
    await bob.fill("#password", PASSWORD);
    await send(bob);
    await bob.waitForURL(/\/account/);
    const again = await visits(invitation);
    await isOver(again, /You already have an account/);
    await look(again, "invitation-used");

    // A sign-up, from another browser.
    await site.api("/v1/signup", { email: "ada@example.org", password: PASSWORD });
    const confirmation = (await site.mail("ada@example.org")).link;
    const ada = await visits(confirmation);
    await about(ada, "a***@example.org", "ada@example.org");
    await ada.fill("#password", PASSWORD);
    await send(ada);
    await ada.waitForURL(/\/account/);
    await isOver(await visits(confirmation), /already active/);

    // A new address, and back again.
    await opens(ada, "email");
    await ada.fill("#email-email", "countess@example.net");
    await ada.fill("#email-password", PASSWORD);
    await ada.click("form[action='/account/email'] button:not([type=button])");
    await ada.waitForURL(/said=email/);
    const change = (await site.mail("countess@example.net")).link;
    let undo = await site.mail("ada@example.org");
    while (!undo.link?.includes("/email/undo")) undo = await site.mailAfter("ada@example.org", undo.subject);
    const countess = await visits(change);
    await about(countess, "c***@example.net", "countess@example.net");
    assert.ok(!(await countess.content()).includes("ada@example.org"), "a mistyped address may be a stranger's");
    await look(countess, "email-confirm");
    await countess.fill("#password", PASSWORD);
    await send(countess);
    await countess.waitForSelector("text=Your email is changed");
    const changed = await visits(change);
    await isOver(changed, /Your new email is confirmed/);
    await look(changed, "email-confirm-used");
    const owner = await visits(undo.link);
    await about(owner, "a***@example.org", "ada@example.org");
    await look(owner, "email-undo");
    await owner.fill("#new_password", OTHER);
    await send(owner);
    await owner.waitForSelector("text=Your old email is back");
    const undone = await visits(undo.link);
    await isOver(undone, /You’ve already undone the change/);
    await look(undone, "email-undo-used");

    // A forgotten password: overtaken, used; in other languages.
    const forgets = async (email, known) => {
      await site.api("/v1/password/forgot", { email });
      let mail = await site.mail(email);
      while (!mail.link?.includes("/reset") || mail.link === known) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        mail = await site.mail(email);
      }
      return mail.link;
    };
    const reset = await forgets("ada@example.org");
    for (const [locale, name] of [["en", "reset"], ["de", "reset-de"], ["ar", "reset-ar"]]) {
      const page = await visits(reset, { locale });
      await about(page, "a***@example.org", "ada@example.org");
      await look(page, name);
      if (locale === "ar") {
        await page.fill("#new_password", "amber-kettle-forest-58");
        await send(page);
        await page.waitForSelector("main a[href='/login']");
        const used = await visits(reset);
        await isOver(used, /You’ve already chosen a new password/);
        await look(used, "reset-used");
      }
    }
    const overtaken = await forgets("bob@example.org");
    await bob.goto("/account");
    await opens(bob, "password");
    await bob.fill("#password-current_password", PASSWORD);
    await bob.fill("#password-new_password", OTHER);
    await bob.click("form[action='/account/password'] button:not([type=button])");
    await bob.waitForURL(/said=password/);
    for (const locale of ["en", "ar"]) {
      const expired = await visits(overtaken, { locale });
      if (locale === "en") await isOver(expired, /This link no longer works/);
      await look(expired, `reset-expired-${locale}`);
      assert.equal(await expired.locator("form[action='/forgot'] #email").count(), 1, "the next step is in place");
    }
    await bob.goto("/.well-known/change-password");
    assert.match(bob.url(), /\/account#password$/);
  },

  // A form that comes without its cookie, or after its session, is not a dead end.
  async lateForms(site) {
    const context = await site.person();
    const page = await context.newPage();
    await page.goto("/signup");
    await context.clearCookies();
    await page.fill("#email", "ada@example.org");
    await page.fill("#password", PASSWORD);
    await page.fill("#user_name", "countess");
    await send(page);
    assert.match(await page.textContent("[role=alert]"), /Nothing was changed/);
    assert.deepEqual([await page.inputValue("#email"), await page.inputValue("#user_name"), await page.inputValue("#password")],
      ["ada@example.org", "countess", ""]);
    await look(page, "signup-late");
    await page.fill("#password", PASSWORD);
    await send(page);
    await page.waitForURL(/\/check-mail/);
    const { code } = await site.mail("ada@example.org");
    const form = (await context.cookies()).find((cookie) => cookie.name === "vestibule_form");
    await context.clearCookies({ name: form.name });
    await enters(page, code);
    await page.waitForSelector("[role=alert]");
    assert.match(await page.textContent("[role=alert]"), /Nothing was changed/);
    await enters(page, code);
    await page.waitForURL(/\/account/);

    // Another tab signs in anew; then every session is ended from elsewhere.
    const tab = await context.newPage();
    await tab.goto("/account");
    await leaves(tab);
    await site.signsIn(tab, "ada@example.org");
    await tab.waitForURL(/\/account/);
    await opens(page, "profile");
    await page.fill("#profile-user_name", "lovelace");
    await page.click("#profile button");
    assert.match(await page.textContent("[role=alert]"), /Nothing was changed/);
    assert.equal(await page.inputValue("#profile-user_name"), "lovelace");
    await look(page, "account-late");
    const { access_token: token } = (await site.api("/v1/login", { email: "ada@example.org", password: PASSWORD })).body;
    await fetch(`${url}/v1/logout?all=true`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    await page.click("#profile button");
    await page.waitForURL(/\/login/);
    assert.match(await page.textContent("[role=status]"), /Your change was not saved/);
    await look(page, "login-unsaved");
    await page.fill("#login", "ada@example.org");
    await page.fill("#password", PASSWORD);
    await send(page);
    await page.waitForURL(/\/account#profile$/);
    assert.equal(await page.inputValue("#profile-user_name"), "countess");
  },
};

const site = await Site.open(url);
try {
  await journeys[name](site);
} finally {
  await site.close();
}
