// Passkeys and second factors in a real browser, with the authenticator that Chromium has for tests.
// Each is one test: `node factors.mjs <url> <name>`.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import { PASSWORD, Site, enters, leaves, look, opens, speaks } from "./browser.mjs";

const [, , url, name] = process.argv;
const ADA = "ada@example.org";
const sent = "main form button:not([type=button])";
const session = async (page) => (await page.context().cookies()).find((cookie) => cookie.name === "vestibule_session");
const addPasskey = "#passkeys [data-passkey] button";
const withPasskey = "form[action='/login/passkey'] button";

/** An authenticator of the page, and what it holds. */
class Authenticator {
  static async of(page, options = {}) {
    const own = new Authenticator();
    own.cdp = await page.context().newCDPSession(page);
    await own.cdp.send("WebAuthn.enable");
    const { authenticatorId } = await own.cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true,
        hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, ...options },
    });
    own.authenticatorId = authenticatorId;
    return own;
  }

  /** Whether somebody touches it. */
  touched(enabled) {
    return this.cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: this.authenticatorId, enabled });
  }

  verified(isUserVerified) {
    return this.cdp.send("WebAuthn.setUserVerified", { authenticatorId: this.authenticatorId, isUserVerified });
  }

  async holds() {
    const { credentials } = await this.cdp.send("WebAuthn.getCredentials", { authenticatorId: this.authenticatorId });
    return credentials;
  }

  /** Waits until it holds so many: browsers tidy up by themselves, a little later. */
  async holdsInTheEnd(page, number) {
    for (let tries = 0; tries < 100 && (await this.holds()).length !== number; tries++) await page.evaluate(() => document.title);
    assert.equal((await this.holds()).length, number);
  }
}

/** What an authenticator app shows (RFC 6238), some steps from now. */
function code(secret, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const tag = createHmac("sha1", key).update(step).digest();
  return String((tag.readUInt32BE(tag[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}

/** Ada, signed in, on her account page. */
async function ada(site, options) {
  await site.hasAccount(ADA);
  const page = await (await site.person(options)).newPage();
  await site.signsIn(page, ADA);
  await page.waitForURL(/\/account/);
  return page;
}

async function signsOut(page) {
  await page.goto("/account");
  await leaves(page);
  await page.waitForURL(/\/login/);
}

async function addsPasskey(page) {
  await page.goto("/account");
  await opens(page, "passkeys");
  await page.click(addPasskey);
  await page.waitForURL(/said=passkey_added/);
}

/** Sets up an authenticator app with the code of the step before this one, so that this one's is left; its secret and codes. */
async function setsUpApp(page) {
  await page.goto("/account");
  await opens(page, "authenticator");
  await page.click("form[action='/account/authenticator'] button");
  const secret = (await page.textContent("main code")).replaceAll(" ", "");
  // Between the two steps the code of the one before is too old, so it is tried again.
  for (let tries = 0; tries < 2 && !(await page.locator(".codes").count()); tries++) {
    await enters(page, code(secret, -1));
    await page.waitForSelector(".codes, [role=alert]");
  }
  return { secret, codes: await page.locator(".codes code").allTextContents() };
}

/** With the button, while the browser offers passkeys by itself as well: nobody touches the authenticator for that. */
async function usesButton(page, authenticator, path = "/login") {
  await authenticator.touched(false);
  await page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      window.offered ||= options.mediation === "conditional";
      return get(options);
    };
  });
  await page.goto(path);
  await page.waitForFunction(() => window.offered);
  await authenticator.touched(true);
  await page.click(withPasskey);
}

const flows = {
  // Added, used with the button, renamed, removed; the browser tidies up.
  async passkey(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await addsPasskey(page);
    const [made] = await authenticator.holds();
    assert.ok(made.isResidentCredential && made.rpId === "localhost" && made.userName === ADA, JSON.stringify(made));
    await page.click("#passkeys summary");
    await page.fill("#passkeys [name=name]", "Work laptop");
    await page.click("form[action$='/rename'] button");
    await page.waitForURL(/said=passkey_renamed/);
    assert.match(await page.textContent("#passkeys .rows"), /Work laptop/);
    await authenticator.touched(false);
    await signsOut(page);
    await usesButton(page, authenticator, "/login?return_to=/docs/errors");
    await page.waitForURL(`${site.url}/docs/errors`);
    await page.goto("/account#passkeys");
    assert.match(await page.textContent("#passkeys .rows"), /last used/i);
    await page.click("form[action$='/passkeys/remove'] button");
    await page.waitForURL(/said=passkey_removed/);
    assert.equal(await page.locator("#passkeys .rows").count(), 0);
    await authenticator.holdsInTheEnd(page, 0);
  },

  // The browser offers it in the field of the name, and the page goes on by itself.
  async autofill(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await addsPasskey(page);
    await authenticator.touched(false);
    await signsOut(page);
    assert.equal(await page.getAttribute("#login", "autocomplete"), "username webauthn");
    await page.goto("about:blank");
    await authenticator.touched(true);
    // The form may be sent before the page has loaded to its end.
    await page.goto("/login?return_to=/docs/errors", { waitUntil: "commit" });
    await page.waitForURL(`${site.url}/docs/errors`);
    assert.ok(await session(page));
  },

  // Neither the browser nor the server lets in whom nobody has verified.
  async unverified(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await addsPasskey(page);
    await authenticator.touched(false);
    await signsOut(page);
    await authenticator.verified(false);
    await usesButton(page, authenticator);
    await page.waitForFunction(() => /No passkey was used/.test(document.querySelector("form[data-offers] [role=status]").textContent));
    assert.equal(await session(page), undefined);
    // A page that asks for less.
    await page.route("**/login/passkey/options", async (route) => {
      const answer = await route.fetch();
      const begun = await answer.json();
      begun.public_key.userVerification = "discouraged";
      await route.fulfill({ response: answer, json: begun });
    });
    await usesButton(page, authenticator);
    await page.waitForSelector("[role=alert]");
    assert.match(await page.textContent("[role=alert]"), /The passkey was not accepted/);
    assert.equal(await session(page), undefined);
  },

  // A passkey that its owner has removed elsewhere: the browser forgets it, and asks at most once more.
  async unknown(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await addsPasskey(page);
    await authenticator.touched(false);
    await signsOut(page);
    const other = await (await site.person({ javaScriptEnabled: false })).newPage();
    await site.signsIn(other, ADA);
    await other.goto("/account#passkeys");
    await opens(other, "passkeys");
    await other.click("form[action$='/passkeys/remove'] button");
    // The passkey is the only second factor, so the password is not enough to remove it.
    await other.waitForSelector("h1:has-text('Confirm')");
    const root = await (await site.person()).newPage();
    await site.signsIn(root, "root@example.org", PASSWORD, "/login?return_to=/admin/users?q=ada");
    await root.click("tbody a");
    await opens(root, "ways_in");
    await root.fill("#ways_in-reason", "came by in person");
    await root.fill("#ways_in-own_password", PASSWORD);
    await root.click("form[action$='/ways-in'] button:not([type=button])");
    await root.waitForURL(/said=ways_in/);
    let asked = 0;
    page.on("request", (request) => (asked += request.url().endsWith("/login/passkey") ? 1 : 0));
    await usesButton(page, authenticator);
    await page.waitForSelector("[role=alert]");
    assert.match(await page.textContent("[role=alert]"), /don’t know this passkey/);
    await authenticator.holdsInTheEnd(page, 0);
    assert.ok(asked <= 2, `sent ${asked} times`);
  },

  async secondFactor(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await addsPasskey(page);
    await setsUpApp(page);
    await authenticator.touched(false);
    await signsOut(page);
    await site.signsIn(page, ADA, PASSWORD, "/login?return_to=/account%23email");
    await page.waitForURL(/\/login\/second-factor/);
    assert.equal(await session(page), undefined);
    await authenticator.touched(true);
    await page.click("[data-passkey] button");
    await page.waitForURL(/\/account#email$/);
    await page.fill("#email-email", "ada@example.com");
  },

  // A session with the password alone proves its passkey for what matters; what was waiting for it is then done.
  async stepUp(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await addsPasskey(page);
    await authenticator.touched(false);
    await signsOut(page);
    await site.signsIn(page, ADA);
    await page.waitForURL(/\/account/);
    const locked = "#passkeys form[action$='/remove'] button";
    await page.goto("/account/verify?return_to=/account%23email");
    assert.equal(await page.locator("main [type=password]").count(), 0, "the password is not asked for");
    // Nobody is verified, so nothing is proven.
    await authenticator.verified(false);
    await authenticator.touched(true);
    await page.click("main [data-passkey] button");
    await page.waitForFunction(() => /No passkey was used/.test(document.querySelector("main [role=status]").textContent));
    assert.match(page.url(), /\/account\/verify/);
    await page.goto("/account#passkeys");
    await page.click(locked);
    await page.waitForSelector("h1:has-text('Confirm')");
    await authenticator.verified(true);
    await page.click("main [data-passkey] button");
    await page.waitForURL(/said=passkey_removed/);
    assert.equal(await page.locator("#passkeys .rows").count(), 0);
    await authenticator.holdsInTheEnd(page, 0);
  },

  // A proof for its own sake leads back to where it was asked for, and counts.
  async proof(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await addsPasskey(page);
    await authenticator.touched(false);
    await signsOut(page);
    await site.signsIn(page, ADA);
    await page.waitForURL(/\/account/);
    await authenticator.touched(true);
    await page.goto("/account/verify?return_to=/account%23email");
    await page.click("main [data-passkey] button");
    await page.waitForURL(/\/account#email$/);
    await page.fill("#email-email", "ada@example.com");
    await page.fill("#email-password", PASSWORD);
    await page.click("#email form[action='/account/email'] button:not([type=button])");
    await page.waitForURL(/said=email/);
  },

  // The same without scripts: a code, and a recovery code.
  async withoutScripts(site) {
    const page = await ada(site, { javaScriptEnabled: false });
    assert.match(await page.textContent("#passkeys noscript"), /JavaScript/);
    assert.equal(await page.isVisible(addPasskey), false);
    const { secret, codes } = await setsUpApp(page);
    assert.equal(codes.length, 10);
    await signsOut(page);
    assert.equal(await page.isVisible(withPasskey), false);
    await site.signsIn(page, ADA);
    await enters(page, code(secret).replace(/^.../, "$& "));
    await page.waitForURL(/\/account/);
    await signsOut(page);
    await site.signsIn(page, ADA);
    await page.click(".other summary");
    await page.fill("#recovery_code", codes[3].toUpperCase().replaceAll("-", " "));
    await page.click(".other form button");
    await page.waitForURL(/\/account/);
    assert.match(await page.textContent("#recovery-codes"), /Left: 9/);
    await opens(page, "recovery-codes");
    await page.click("form[action='/account/recovery-codes'] button");
    await page.waitForSelector(".codes");
    assert.equal(await page.isVisible("[data-codes]"), false);
    await page.click("main a.button");
    await page.waitForURL(/\/account#security/);
    assert.equal(await page.locator(".codes").count(), 0, "shown once");
  },

  // Recovery codes are kept in a file, and the offer to add a passkey comes once.
  async keeping(site) {
    const page = await ada(site);
    assert.ok(await page.isVisible("[data-offer]"));
    await page.click("[data-dismiss]");
    assert.equal(await page.isVisible("[data-offer]"), false);
    await page.goto("/account");
    assert.equal(await page.isVisible("[data-offer]"), false);
    const { codes } = await setsUpApp(page);
    const [file] = await Promise.all([page.waitForEvent("download"), page.click("[data-do=download]")]);
    assert.equal(file.suggestedFilename(), "recovery-codes.txt");
    const stream = await file.createReadStream();
    const text = (await stream.toArray()).join("");
    for (const one of codes) assert.ok(text.includes(one), text);
  },

  async looks(site) {
    const page = await ada(site);
    const authenticator = await Authenticator.of(page);
    await look(page, "account-offer");
    await addsPasskey(page);
    await page.click("#passkeys summary");
    await page.fill("#passkeys [name=name]", " ");
    await page.click("form[action$='/rename'] button");
    await page.waitForSelector("[role=alert]");
    await look(page, "account-passkey-wrong");
    await page.goto("/account");
    await opens(page, "authenticator");
    await page.click("form[action='/account/authenticator'] button");
    await look(page, "authenticator");
    for (const locale of ["de", "ar"]) {
      await speaks(page, locale);
      await page.waitForSelector(`html[lang=${locale}]`);
      await look(page, `authenticator-${locale}`);
    }
    await speaks(page, "en");
    await page.waitForSelector("html[lang=en]");
    await enters(page, "000000");
    await page.waitForSelector("[role=alert]");
    await look(page, "authenticator-wrong");
    const { codes } = await setsUpApp(page);
    await look(page, "recovery-codes");
    for (const locale of ["en", "de", "ar"]) {
      await page.goto(`/account?lang=${locale}`);
      await look(page, `account-factors-${locale}`);
    }
    await authenticator.touched(false);
    for (const locale of ["ar", "de", "en"]) {
      await page.goto(`/account/verify?lang=${locale}`);
      await look(page, `verify-${locale}`);
    }
    await signsOut(page);
    await site.signsIn(page, ADA);
    await page.waitForURL(/\/login\/second-factor/);
    for (const locale of ["ar", "de", "en"]) {
      await speaks(page, locale);
      await page.waitForSelector(`html[lang=${locale}]`);
      await look(page, `second-factor-${locale}`);
    }
    await enters(page, "000000");
    await page.waitForSelector("[role=alert]");
    await look(page, "second-factor-wrong");
    await page.click(".other summary");
    await page.fill("#recovery_code", "abc");
    await page.click(".other form button");
    await page.waitForSelector("[role=alert]");
    await look(page, "second-factor-recovery-wrong");
    await page.fill("#recovery_code", codes[0]);
    await page.click(".other form button");
    await page.waitForURL(/\/account/);
  },

  /** As `root@example.org`: the ways in of a user, and their reset. */
  async looksOfReset(site) {
    const page = await ada(site);
    await setsUpApp(page);
    const root = await (await site.person()).newPage();
    await site.signsIn(root, "root@example.org", PASSWORD, "/login?return_to=/admin/users?q=ada");
    await root.click("tbody a");
    await look(root, "user-factors");
    await opens(root, "ways_in");
    await root.click("form[action$='/ways-in'] button:not([type=button])");
    await root.waitForSelector("[role=alert]");
    await look(root, "user-factors-wrong");
    await opens(root, "ways_in");
    await root.fill("#ways_in-reason", "came by in person");
    await root.fill("#ways_in-own_password", PASSWORD);
    await root.click("form[action$='/ways-in'] button:not([type=button])");
    await root.waitForURL(/said=ways_in/);
    await page.goto("/dev/mail");
    const link = await page.locator("a[href*='/enrol?token=']").getAttribute("href");
    for (const locale of ["en", "de", "ar"]) {
      await page.goto(`${link}&lang=${locale}`);
      await look(page, `enrol-${locale}`);
    }
    await page.goto(link);
    await page.fill("#password", PASSWORD);
    await page.click(sent);
    await page.waitForURL(/said=enrol/);
    await look(page, "account-enrol");
    await page.goto("/enrol?token=x");
    await look(page, "enrol-incomplete");
  },
};

const site = await Site.open(url);
try {
  await flows[name](site);
} finally {
  await site.close();
}
