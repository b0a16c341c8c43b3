// What @simplewebauthn/server says of registrations and assertions.
//
// A JSON array of them in the file that is named, one answer for each in a JSON array on standard output. Its defaults are
// our rules: user presence and verification are required.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_PACKAGES);
const { verifyAuthenticationResponse, verifyRegistrationResponse } = require("@simplewebauthn/server");

const supportedAlgorithmIDs = [-7, -8, -257];

async function opinion({ creates, rpId, origin, challenge, publicKey, signCount, credential }) {
  const expected = { response: credential, expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpId };
  const key = { id: credential.id, publicKey: new Uint8Array(Buffer.from(publicKey, "base64url")), counter: signCount };
  const { verified } = creates
    ? await verifyRegistrationResponse({ ...expected, supportedAlgorithmIDs })
    : await verifyAuthenticationResponse({ ...expected, credential: key });
  return { accepted: verified, reason: verified ? null : "not verified" };
}

const answers = [];
for (const given of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  answers.push(await opinion(given).catch((error) => ({ accepted: false, reason: String(error) })));
}
process.stdout.write(JSON.stringify(answers));
