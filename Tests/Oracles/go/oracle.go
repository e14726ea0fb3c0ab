// Command oracle answers questions about notes and Merkle trees with the libraries of Go's checksum database
// (golang.org/x/mod/sumdb): a question a line on standard input, an answer a line on standard output, both JSON, in
// the form of Tests/Answers.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Ask       string
	Note      string
	Witnesses []string
	Names     []string
	Seeds     []string
	Time      uint64
	Size      int64
	Smaller   int64
	Index     int64
	Root      string
	Hashes    []string
	Proof     []string
}

type answer map[string]interface{}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var asked question
		must(json.Unmarshal(in.Bytes(), &asked))
		must(out.Encode(asked.answer()))
	}
	must(in.Err())
}

func (q question) answer() answer {
	switch q.Ask {
	case "note":
		return q.checkNote()
	case "sign":
		return q.sign()
	case "prove":
		return q.prove()
	case "inclusion":
		proof := tlog.RecordProof(hashes(q.Proof))
		return found(tlog.CheckRecord(proof, q.Size, one(q.Root), q.Index, one(q.Hashes[0])))
	case "consistency":
		proof := tlog.TreeProof(hashes(q.Proof))
		return found(tlog.CheckTree(proof, q.Size, one(q.Root), q.Smaller, one(q.Hashes[0])))
	}
	panic("no such question: " + q.Ask)
}

// checkNote also tells the note's one form, which this library does not insist on.
func (q question) checkNote() answer {
	verifier, err := newVerifier(q.Witnesses[0])
	if err != nil {
		return found(err)
	}
	opened, err := note.Open(unhex(q.Note), note.VerifierList(verifier))
	if err != nil {
		return found(err)
	}
	again, err := note.Sign(&note.Note{
		Text: opened.Text, Sigs: canonical(opened.Sigs), UnverifiedSigs: canonical(opened.UnverifiedSigs)})
	must(err)
	reply := found(nil)
	reply["note"] = hex.EncodeToString(again)
	reply["text"] = opened.Text
	return reply
}

// canonical writes base64 in its one form, where the library keeps what it read.
func canonical(signatures []note.Signature) []note.Signature {
	made := make([]note.Signature, len(signatures))
	for i, each := range signatures {
		data, err := base64.StdEncoding.DecodeString(each.Base64)
		must(err)
		each.Base64 = base64.StdEncoding.EncodeToString(data)
		made[i] = each
	}
	return made
}

// sign makes a checkpoint of q.Root under the name q.Names[0], signed with q.Seeds[0], and a cosignature of q.Time under
// q.Names[1] with q.Seeds[1].
func (q question) sign() answer {
	root := one(q.Root)
	text := fmt.Sprintf("%s\n%d\n%s\n", q.Names[0], q.Size, base64.StdEncoding.EncodeToString(root[:]))
	own := ed25519.NewKeyFromSeed(unhex(q.Seeds[0]))
	other := ed25519.NewKeyFromSeed(unhex(q.Seeds[1]))
	ownKey, err := note.NewEd25519VerifierKey(q.Names[0], own.Public().(ed25519.PublicKey))
	must(err)
	otherKey := cosigner{name: q.Names[1], key: other.Public().(ed25519.PublicKey)}
	signed, err := note.Sign(&note.Note{Text: text},
		signer{name: q.Names[0], hash: keyHash(ownKey), sign: func(message []byte) []byte {
			return ed25519.Sign(own, message)
		}},
		signer{name: q.Names[1], hash: otherKey.KeyHash(), sign: func(message []byte) []byte {
			return append(binary.BigEndian.AppendUint64(nil, q.Time), ed25519.Sign(other, cosigned(message, q.Time))...)
		}})
	must(err)
	return answer{"note": hex.EncodeToString(signed), "keys": []string{ownKey, otherKey.String()}}
}

func (q question) prove() answer {
	stored := make([]tlog.Hash, 0, 2*len(q.Hashes))
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		read := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			read[i] = stored[index]
		}
		return read, nil
	})
	for i, leaf := range hashes(q.Hashes) {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, reader)
		must(err)
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(q.Size, reader)
	must(err)
	inclusion, err := tlog.ProveRecord(q.Size, q.Index, reader)
	must(err)
	consistency, err := tlog.ProveTree(q.Size, q.Smaller, reader)
	must(err)
	return answer{"root": hex.EncodeToString(root[:]), "inclusion": hexes(inclusion), "consistency": hexes(consistency)}
}

// Keys

// newVerifier knows what the library does, and keys for cosignatures (C2SP tlog-cosignature, algorithm 4).
func newVerifier(key string) (note.Verifier, error) {
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("not a key")
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(data) != 33 || data[0] != 4 {
		return note.NewVerifier(key)
	}
	made := cosigner{name: parts[0], key: data[1:]}
	if made.String() != key {
		return nil, fmt.Errorf("not its id")
	}
	return made, nil
}

type cosigner struct {
	name string
	key  ed25519.PublicKey
}

func (c cosigner) Name() string { return c.name }

func (c cosigner) KeyHash() uint32 {
	hash := sha256.Sum256(bytes.Join([][]byte{[]byte(c.name), {'\n', 4}, c.key}, nil))
	return binary.BigEndian.Uint32(hash[:4])
}

func (c cosigner) Verify(message, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	return ed25519.Verify(c.key, cosigned(message, binary.BigEndian.Uint64(signature)), signature[8:])
}

func (c cosigner) String() string {
	return fmt.Sprintf("%s+%08x+%s", c.name, c.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{4}, c.key...)))
}

func cosigned(text []byte, time uint64) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

type signer struct {
	name string
	hash uint32
	sign func([]byte) []byte
}

func (s signer) Name() string                        { return s.name }
func (s signer) KeyHash() uint32                     { return s.hash }
func (s signer) Sign(message []byte) ([]byte, error) { return s.sign(message), nil }

func keyHash(key string) uint32 {
	hash, err := strconv.ParseUint(strings.SplitN(key, "+", 3)[1], 16, 32)
	must(err)
	return uint32(hash)
}

// Bytes

func found(err error) answer {
	if err != nil {
		return answer{"found": err.Error()}
	}
	return answer{"found": "ok"}
}

func unhex(digits string) []byte {
	data, err := hex.DecodeString(digits)
	must(err)
	return data
}

func one(digits string) (hash tlog.Hash) {
	copy(hash[:], unhex(digits))
	return hash
}

func hashes(digits []string) []tlog.Hash {
	read := make([]tlog.Hash, len(digits))
	for i, each := range digits {
		read[i] = one(each)
	}
	return read
}

func hexes(read []tlog.Hash) []string {
	digits := make([]string, len(read))
	for i := range read {
		digits[i] = hex.EncodeToString(read[i][:])
	}
	return digits
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
