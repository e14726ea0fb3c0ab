import Testing

@Suite struct `What the rules see of the code` {
  @Test(arguments: [
    (#"let a = "x{" + b"#, "let a =      + b"),
    (#"f("a\"b{", c)"#, "f(       , c)"),
    (#"f("a \(try? g("}")) b")"#, "f(    (try? g(   ))   )"),
    (##"f(#"a\(b) \#(c) "d"#)"##, "f(          (c)     )"),
    ("a /* { /* { */ { */ b", "a                   b"),
    ("a // {\nb", "a     \nb"),
    ("f(\"\"\"\n  a \"b\" {\n  \"\"\")", "f(   \n         \n     )"),
  ])
  func `comments and strings are blanked in Swift, but not what is interpolated`(
    text: String, code: String
  ) {
    #expect(blankProse(text, in: .swift) == code)
  }

  @Test(arguments: [
    ("a = '\"'; /* { /* */ b", "a =    ;            b"),
    (#"s = "\\"; // }"#, "s =     ;     "),
  ])
  func `comments, strings and characters are blanked in C`(text: String, code: String) {
    #expect(blankProse(text, in: .c) == code)
  }

  @Test func `functions are told from types and from what is nested`() throws {
    let text = """
      public struct A<T>: B where T: C {
        let x = 1
        init?(class: Int) {
          if x { y() }
        }
        class func f() -> Int {
          struct Inner { var z = 1 }
          return 1
        }
        enum Kind { case one }
        var computed: Int { 1 }
        var stored = [1, 2] {
          didSet { g() }
        }
      }
      extension A { func g() { h { 1 } } }
      protocol P { func f() }
      func free() {
      }
      """
    let found = try functions(in: blankProse(text, in: .swift), .swift)
    #expect(found.map(\.line) == [3, 6, 11, 12, 16, 18])
    #expect(found.map(\.lines) == [3, 4, 1, 3, 1, 2])
  }

  @Test func `functions are told from tables and types in C`() throws {
    let text = """
      #define LOOP(x) do { \\
          x; \\
      } while (0) {
      static const struct m table[] = { {1, 2}, {3, 4} };
      typedef struct { int a; } b;
      static int f(
          int a) {
        if (a) { return 1; }
        return 0;
      }
      """
    let found = try functions(in: blankProse(text, in: .c), .c)
    #expect(found == [FunctionExtent(line: 6, lines: 5)])
  }

  @Test(arguments: ["func f() { {", "func f() } {"])
  func `braces that do not match are an error`(text: String) {
    #expect(throws: UnbalancedBraces.self) { try functions(in: text, .swift) }
  }
}
