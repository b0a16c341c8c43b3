// Verifies access tokens as a service does that knows the issuer's JWK Set and nothing else.
//
// One request a line on standard input, one answer a line on standard output, both JSON. The set is fetched when it is
// first needed, kept, and fetched again for a key that it lacks.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { createRemoteJWKSet, errors, jwtVerify } = createRequire(process.env.NODE_PACKAGES)("jose");

// Without the pause between two fetches, which is there to spare the issuer.
const keys = createRemoteJWKSet(new URL(process.argv[2]), { cooldownDuration: 0 });
const requiredClaims = ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"];

async function verify({ token, algorithm, issuer, audience, later }) {
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    algorithms: [algorithm],
    issuer,
    audience,
    typ: "at+jwt",
    requiredClaims,
    currentDate: new Date(Date.now() + later * 1000),
  });
  return { sub: payload.sub, kid: protectedHeader.kid };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await verify(JSON.parse(line));
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    answer = { error: error.code };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
