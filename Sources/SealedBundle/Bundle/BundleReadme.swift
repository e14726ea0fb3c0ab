/// `proof/README.txt`. Its text belongs to version 1 of the format: readers compare it. Each line that
/// begins with exactly four spaces is a command, and they are run as they stand by the tests.
enum BundleReadme {
  static var bytes: [UInt8] { text.ascii }

  private static let text: StaticString = """
    HOW TO CHECK THIS BUNDLE BY HAND

    You are reading a file of a sealed bundle of evidence. Every layer of it is a
    published format, so it can be opened and checked with tools that are not ours:
    age (age-encryption.org), unzip, and sha256sum. On a Mac, write "shasum -a 256"
    for "sha256sum". On Windows, go by part 6.

    To read it, open data/report.html in a browser, after all files were taken out of
    the archive: in a window that only looks into the archive, its links lead nowhere.
    All files bear the date of 1 January 1980, since the archive tells no other.


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

        cat manifest-sha256.txt tagmanifest-sha256.txt | sort -u | wc -l
        find . -type f ! -path ./tagmanifest-sha256.txt ! -path ./proof/signature.note | wc -l


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
                    are not in this bundle; the head is the root of the tree over them
                    (RFC 6962)
    logs/N.cbor     the entries that are in this bundle, part by part
    receipts/N.note receipts for earlier heads

    To check these takes a program. cairn-verify is one; the format is written down
    so that others can be made, in the folder Protocol of Cairn's source.


    5. What no check of this bundle alone can tell

    That the case is the one of the person in front of you: compare the fingerprint
    on the report with the one in her statement. That the times are true: ask the
    advocate's organisation whether the receipt key is theirs. Both are told to
    cairn-verify with --fingerprint and --witness.


    6. The same on Windows

    Put age.exe (age-encryption.org) beside the bundle. Open PowerShell there, and
    type these lines. age asks for the passphrase; with a key file, add "-i KEYFILE".

            .\\age.exe --decrypt -o bundle.zip BUNDLE
            Expand-Archive bundle.zip bundle
            cd bundle

    This names each file that is not the one that was put in, and nothing if all is
    well. Then it prints two numbers that must be equal, and what the third line of
    proof/signature.note must be:

            $lists = "manifest-sha256.txt", "tagmanifest-sha256.txt"
            $lines = Get-Content $lists | Sort-Object -Unique
            foreach ($line in $lines) {
              $hash, $file = $line -split "  "
              if ((Get-FileHash $file).Hash -ne $hash) { "$file DIFFERS" }
            }
            $lines.Count
            (Get-ChildItem -Recurse -File).Count - 2
            $bytes = [IO.File]::ReadAllBytes("$PWD\\tagmanifest-sha256.txt")
            $sha = [Security.Cryptography.SHA256]::Create()
            [Convert]::ToBase64String($sha.ComputeHash($bytes))

    """
}
