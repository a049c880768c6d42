"""The WordPress plugin: what is installed there signs and sends, the adapter here reads and writes through REST."""
