internal import ArgumentParser

VerifyCommand.main()
