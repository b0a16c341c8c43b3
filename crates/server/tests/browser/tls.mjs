// The program as it runs in production, behind TLS: `node tls.mjs <url>`. Browsers give passkeys to no page whose certificate they
// do not trust, so the one of this test is in the store of this browser.
import assert from "node:assert/strict";

import { Site, leaves, opens } from "./browser.mjs";

const [, , url, email, password] = process.argv;
const site = await Site.open(url);
const page = await (await site.person()).newPage();
const cdp = await page.context().newCDPSession(page);
await cdp.send("WebAuthn.enable");
const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
  options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true,
    hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
});
const touched = (enabled) => cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });

await site.signsIn(page, email, password);
await page.waitForURL(/\/account/);
await opens(page, "passkeys");
await page.click("#passkeys [data-passkey] button");
await page.waitForURL(/said=passkey_added/);
const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
assert.deepEqual(credentials.map(({ rpId, userName }) => [rpId, userName]), [["localhost", email]]);

await touched(false);
await leaves(page);
await page.waitForURL(/\/login/);
// The browser offers it by itself, and somebody touches the authenticator: whoever touches it between two requests of a page is
// not always noticed, so this page begins anew.
await page.goto("about:blank");
await touched(true);
await page.goto(`${url}/login`, { waitUntil: "commit" });
await page.waitForURL(/\/account/);
const names = (await page.context().cookies()).map(({ name, secure }) => [name, secure]);
assert.ok(names.some(([name, secure]) => name === "__Host-vestibule_session" && secure), JSON.stringify(names));
await site.close();
