/// `proof/README.txt`. Its text belongs to version 1 of the format: readers compare it. Each line that
/// begins with exactly four spaces is a command, and they are run as they stand by the tests.
enum BundleReadme {
  static var bytes: [UInt8] { text.ascii }

  private static let text: StaticString = """
    HOW TO CHECK THIS BUNDLE BY HAND

    You are reading a file of a sealed bundle of evidence. Every layer of it is a
    published format, so it can be opened and checked with tools that are not ours:
    age (age-encryption.org), unzip, and sha256sum. On a Mac, write "shasum -a 256"
    for "sha256sum".


    1. Open it

    BUNDLE stands for the file that you were given. age asks for the passphrase; if
    you were given a key file instead, add "-i KEYFILE".

        age --decrypt -o bundle.zip BUNDLE
        unzip -q bundle.zip -d bundle
        cd bundle


    2. Is every file the one that was put in?

    Each of these says nothing if all is well, and names the file if not.

        sha256sum --check --strict --quiet manifest-sha256.txt
        sha256sum --check --strict --quiet tagmanifest-sha256.txt

    No file may be missing from these lists. These two numbers must be equal:

        cat manifest-sha256.txt tagmanifest-sha256.txt | wc -l
        find . -type f ! -name tagmanifest-sha256.txt ! -name signature.note | wc -l


    3. Who vouches for the lists?

    The second list is signed in proof/signature.note. The third line of that file
    must be what this prints:

        openssl dgst -sha256 -binary tagmanifest-sha256.txt | base64

    The last line of the file is an Ed25519 signature over the three lines above it,
    by the device that exported. Its form is "signed note" of c2sp.org.


    4. What do the files in proof/ show?

    case.cbor       which case, which logs, and who exported when
    logs/N.note     the signed head of log N, with the receipts of others for it:
                    "checkpoint" and "cosignature" of c2sp.org
    logs/N.leaves   one line of 74 bytes for each entry of log N, also for those that
                    are not shown here; the head is the root of the tree over them
                    (RFC 6962)
    logs/N.cbor     the entries that are shown here, part by part
    receipts/N.note receipts for earlier heads

    To check these takes a program. cairn-verify is one; the format is written down
    so that others can be made, in the folder Protocol of Cairn's source.


    5. What no check of this bundle alone can tell

    That the case is the one of the person in front of you: compare the fingerprint
    on the report with the one in her statement. That the times are true: ask the
    advocate's organisation whether the receipt key is theirs. Both are told to
    cairn-verify with --fingerprint and --witness.

    """
}
