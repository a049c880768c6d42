// Asks Webflow's own client about webhooks: standard input has a list of {headers, body, secret}, standard output has
// a list of true and false.
const { WebflowClient } = require("webflow-api");

const webhooks = new WebflowClient({ accessToken: "none" }).webhooks;
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
Promise.all(asked.map((one) => webhooks.verifySignature(one))).then((said) => console.log(JSON.stringify(said)));
