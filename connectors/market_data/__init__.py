"""Market data: sessions, snapshots, book synchronization, trading rules."""
