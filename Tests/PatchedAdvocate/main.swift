// What an advocate could do with a patched copy of the program and the keys that she has: write into her
// own log what only a survivor may write. The demonstration and the tests run this against a real vault;
// every other copy must set the entry aside and say so.
//
//     PatchedAdvocate VAULT PASSPHRASE-FILE CASE

import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
  print("usage: PatchedAdvocate VAULT PASSPHRASE-FILE CASE")
  exit(64)
}
var typed = [UInt8](try Data(contentsOf: URL(filePath: arguments[2])))
if typed.last == UInt8(ascii: "\n") { typed.removeLast() }
let passphrase = try typed.withBytes { (bytes) throws(CryptographyError) in
  try LockedBytes(copying: bytes)
}
let machine: [UInt8]
do {
  machine = [UInt8](try Data(contentsOf: URL(filePath: "/etc/machine-id")))
} catch {
  machine = Array(ProcessInfo.processInfo.hostName.utf8)
}
let vault = try OpenVault(
  opening: arguments[1], passphrase: passphrase,
  surroundings: Surroundings(
    now: { UInt64(Date().timeIntervalSince1970) }, machine: machine))
var content = EntryContent()
content.words = "Written with a patched program, to look like the survivor's own evidence."
let id = try await vault.append(content, as: .evidence, toCase: arguments[3])
try await vault.close()
print(id.base32)
