internal import CSodium

func initializeSodium() -> Bool { sodium_init() >= 0 }
