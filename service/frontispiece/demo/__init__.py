"""The built-in newsroom and the driver of `frontispiece demo`: a small CMS, and the journey walked through it."""
