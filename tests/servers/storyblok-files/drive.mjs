// Has Storyblok's own client do once what our adapter does, against the address, token, space and story that are given
// as arguments after the folder of node modules; standard output has what it made of the story and of an asset.
const [modules, baseUrl, personalAccessToken, space, story] = process.argv.slice(2);
const { createManagementApiClient } = await import(`${modules}/@storyblok/management-api-client/dist/index.mjs`);
const client = createManagementApiClient({ personalAccessToken, spaceId: Number(space), baseUrl, throwOnError: true });
const { assets, components, spaces, stories } = client;

await spaces.get();
await stories.list({ query: { story_only: true } });
await components.list({ query: { search: "article" } });
const before = (await stories.get(Number(story))).data.story;
const content = { ...before.content, intro: "Written by Storyblok's client" };
const { data } = await stories.update(Number(story), { body: { story: { content } }, query: { publish: 1 } });
const asset = await assets.upload({ body: { short_filename: "sea.a.png" }, file: new Uint8Array([1, 2, 3]).buffer });
await assets.list({ query: { search: "sea" } });
await assets.delete(asset.id);
console.log(JSON.stringify({ story: data.story, asset }));
