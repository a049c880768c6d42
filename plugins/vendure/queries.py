"""What is said to Vendure's admin API, in GraphQL."""

IMAGES = "featuredAsset { id source } assets { id }"
GALLERY = f"query($id: ID!) {{ product(id: $id) {{ {IMAGES} }} }}"
WRITE = f"mutation($input: UpdateProductInput!) {{ updateProduct(input: $input) {{ {IMAGES} }} }}"
PRODUCT = """query($id: ID!) { product(id: $id) {
  id languageCode name description slug enabled updatedAt
  featuredAsset { id name source ALT } assets { type preview }
  facetValues { code name facet { name } } collections { name }
  optionGroups { name options { name } } translations { languageCode name }
  variantList(options: {take: 100}) { items { featuredAsset { type preview } assets { type preview } } }
} }"""
RECENT = """query($options: ProductListOptions) {
  products(options: $options) { totalItems items { id enabled updatedAt featuredAsset { id } } }
}"""
UPLOAD = """mutation($file: Upload!) { createAssets(input: [{file: $file}]) {
  ... on Asset { id source width height } ... on ErrorResult { errorCode message }
} }"""
ASSET = "query($id: ID!) { asset(id: $id) { id } }"
FIND = "query($name: String!) { assets(options: {filter: {source: {contains: $name}}}) { items { id source } } }"
DESCRIBE = "mutation($input: UpdateAssetInput!) { updateAsset(input: $input) { id } }"
REMOVE = "mutation($id: ID!) { deleteAsset(input: {assetId: $id}) { result message } }"
CONNECT = "mutation($input: SettingsStoreInput!) { setSettingsStoreValue(input: $input) { result error } }"
LAST = 'query { getSettingsStoreValue(key: "frontispiece.last") }'


def product(alt_field: str) -> str:
    """Asks for a whole product; of its featured asset with the custom field for alt text, where there is one."""
    return PRODUCT.replace("ALT", f"customFields {{ {alt_field} }}" if alt_field else "")
