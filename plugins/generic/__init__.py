"""The generic plugin: a home-made CMS, connected by signed JSON and a write-back at an address of its own."""
