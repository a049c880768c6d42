// A certified OpenID Connect provider: what tests decide comes in PROVIDER, who is who is read anew for each login.
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const { issuer, port, clients, people } = JSON.parse(process.env.PROVIDER);

const claimsOf = (sub) => JSON.parse(readFileSync(people, "utf8"))[sub];

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups"], email: ["email", "email_verified"] },
  cookies: { keys: ["a key for the tests"] },
  findAccount: (_, sub) => claimsOf(sub) && { accountId: sub, claims: () => ({ sub, ...claimsOf(sub) }) },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
});

provider.listen(port, "127.0.0.1");
