package sqlitestore

// syncDir does nothing: Windows has no such call, and NTFS journals the names itself.
func syncDir(string) error { return nil }
