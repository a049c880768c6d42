// Has Webflow's own client do once what our adapter does, against the address, site, collection and item that are
// given as arguments; standard output has what it made of the item.
const { WebflowClient } = require("webflow-api");

const [base, accessToken, site, collection, item] = process.argv.slice(2);
const environment = { base: `${base}/v2`, dataApi: `${base}/v2`, contentDeliveryApi: `${base}/v2` };
const webflow = new WebflowClient({ accessToken, environment, maxRetries: 0 });
const { assets, collections, sites, webhooks } = webflow;

async function drive() {
    const change = { skipInvalidFiles: false, fieldData: { name: "Named by Webflow's client" } };
    await sites.get(site);
    await collections.get(collection);
    await collections.items.updateItem(collection, item, change);
    await collections.items.updateItemLive(collection, item, change);
    await collections.items.getItemLive(collection, item);
    const asset = await assets.create(site, { fileName: "sea.png", fileHash: "3c7d87c9575702bc3b1e991f4d3c638e" });
    await assets.list(site, { limit: 100 });
    await assets.delete(asset.id);
    await webhooks.create(site, { triggerType: "collection_item_created", url: "https://example.org/none" });
    await webhooks.list(site);
    return collections.items.getItem(collection, item);
}

drive().then((found) => console.log(JSON.stringify(found)));
