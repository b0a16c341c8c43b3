// Signing in to an application in a real browser. The applications are nowhere: what is asked of them is what counts.
// Each is one test: `node oauth.mjs <url> <name>`.
import assert from "node:assert/strict";

import { PASSWORD, Site, look, opens, speaks } from "./browser.mjs";

const [, , url, name] = process.argv;
const ADA = "ada@example.org";
const CALLBACK = "https://notes.example/callback";
const LOOPBACK = "http://127.0.0.1:49152/callback";
const sent = "main form button:not([type=button])";
const strays = { strays: /^(https:\/\/notes\.example|http:\/\/127\.0\.0\.1:49152)\// };

/** The address that the application sends people to. */
function asks(others = {}) {
  const parameters = { client_id: "notes", redirect_uri: CALLBACK, response_type: "code", scope: "openid email",
    state: "s-1", code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256", ...others };
  return `/oauth/authorize?${new URLSearchParams(parameters)}`;
}

/** A page in a browser of its own, which may be sent to the application. */
async function visitor(site, options = {}) {
  return (await site.person({ ...strays, ...options })).newPage();
}

/** What the application is asked when this is done: no policy of a page stands against it. */
async function arrives(page, act, at = CALLBACK) {
  const asked = page.waitForRequest((request) => request.url().startsWith(`${at}?`));
  await act().catch((error) => assert.match(String(error), /ERR_|interrupted/));
  const answer = new URL((await asked).url()).searchParams;
  await page.waitForURL(/^chrome-error:/);
  return answer;
}

async function signedIn(site, options) {
  const page = await visitor(site, options);
  await site.signsIn(page, ADA);
  await page.waitForURL(/\/account/);
  return page;
}

const parts = {
  // From the application, by a sign-up that is confirmed on another device, back to it.
  async signUp(site) {
    const page = await visitor(site);
    await page.goto(asks());
    await page.click("a[href^='/signup']");
    await page.fill("#email", ADA);
    await page.fill("#password", PASSWORD);
    await page.click(sent);
    await page.waitForURL(/\/check-mail$/);
    const phone = await (await site.person()).newPage();
    await phone.goto((await site.mail(ADA)).link);
    await phone.fill("#password", PASSWORD);
    await phone.click(sent);
    await phone.waitForURL(/\/account/);
    // The page that waits goes on by itself.
    await page.waitForURL(/\/oauth\/authorize\?request=/);
    const answer = await arrives(page, () => page.click("[value=allow]"));
    assert.ok(answer.get("code") && answer.get("state") === "s-1" && answer.get("iss") === url, String(answer));
    const { subject } = await site.mailAfter(ADA, (await site.mail(ADA)).subject.replace(/.*app.*/, ""));
    assert.match(subject, /app was connected/);
    // Once allowed, a sign-in leads straight back, from its form.
    await page.context().clearCookies();
    await page.goto(asks({ login_hint: ADA }));
    assert.equal(await page.inputValue("#login"), ADA);
    await page.fill("#password", PASSWORD);
    assert.ok((await arrives(page, () => page.click(sent))).get("code"));
    await page.goto("/account");
    await opens(page, "applications");
    await page.click("form[action='/account/applications/disconnect'] button");
    await page.waitForURL(/said=disconnected/);
    await page.goto(asks());
    assert.equal((await arrives(page, () => page.click("[value=deny]"))).get("error"), "access_denied");
  },

  // Also where the answer goes to a program, by another account, and after a proof.
  async toProgram(site) {
    await site.hasAccount(ADA);
    await site.hasAccount("bob@example.org");
    const page = await signedIn(site);
    await page.goto(asks({ redirect_uri: LOOPBACK, prompt: "login" }));
    await page.fill("#password", PASSWORD);
    await page.click("#form button:not([type=button])");
    await page.click("[formaction='/oauth/switch']");
    await page.fill("#login", "bob@example.org");
    await page.fill("#password", PASSWORD);
    await page.click(sent);
    await page.waitForSelector("text=bob@example.org");
    assert.ok((await arrives(page, () => page.click("[value=allow]"), LOOPBACK)).get("code"));
    const back = { client_id: "notes", post_logout_redirect_uri: "https://notes.example/bye", state: "s-2" };
    await page.goto(`/oauth/logout?${new URLSearchParams(back)}`);
    const bye = await arrives(page, () => page.click("form[action='/oauth/logout/confirm'] button"), back.post_logout_redirect_uri);
    assert.equal(bye.get("state"), "s-2");
    await page.goto("/account");
    assert.match(page.url(), /\/login/);
  },

  async looks(site) {
    await site.hasAccount(ADA);
    const page = await visitor(site);
    const everything = asks({ scope: "openid profile email offline_access notes:write", prompt: "consent" });
    for (const locale of ["ar", "de", "en"]) {
      await page.goto(`/oauth/authorize?client_id=nobody&lang=${locale}`);
      await page.click("main summary");
      await look(page, `oauth-wrong-link-${locale}`);
      await page.goto(`/oauth/authorize?request=x&lang=${locale}`);
      await look(page, `oauth-gone-${locale}`);
      await page.goto(`/oauth/logout?lang=${locale}`);
      await look(page, `oauth-signed-out-${locale}`);
      await page.goto(asks());
      await look(page, `oauth-sign-in-${locale}`);
    }
    await page.fill("#login", ADA);
    await page.fill("#password", PASSWORD);
    await page.click(sent);
    await page.waitForURL(/\/oauth\/authorize\?request=/);
    for (const locale of ["es", "fr", "ar", "de", "en"]) {
      await page.goto(everything);
      await speaks(page, locale);
      await page.waitForSelector(`html[lang=${locale}]`);
      await look(page, `oauth-consent-${locale}`);
    }
    await page.goto(asks({ redirect_uri: LOOPBACK, scope: "openid" }));
    await look(page, "oauth-consent-program");
    await page.goto(`${page.url()}&said=again`);
    await look(page, "oauth-consent-again");
    await page.goto(asks({ prompt: "login" }));
    await look(page, "oauth-proof");
    await page.goto("/account");
    await look(page, "account-no-application");
    for (const [id, scope] of [["notes", "openid profile email offline_access notes:write"], ["shop", "openid"]]) {
      await page.goto(asks({ client_id: id, scope }));
      await arrives(page, () => page.click("[value=allow]"));
    }
    await page.goto(asks({ prompt: "consent" }));
    await look(page, "oauth-consent-before");
    for (const locale of ["ar", "de", "en"]) {
      await page.goto(`/account?lang=${locale}`);
      await look(page, `account-applications-${locale}`);
      await page.goto("/oauth/logout?client_id=notes");
      await look(page, `oauth-sign-out-${locale}`);
    }
  },
};

const site = await Site.open(url);
try {
  await parts[name](site);
} finally {
  await site.close();
}
