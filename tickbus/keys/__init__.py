"""API keys in an encrypted file, and the passphrase that opens it."""
