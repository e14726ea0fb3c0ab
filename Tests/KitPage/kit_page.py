"""Holds the page of twelve words to what somebody needs of it, in a real browser and on paper.

    kit_page.py --program CAIRN --out FOLDER

Makes a vault and its page, keeps a picture of each way to look at it in FOLDER, and brings the case back
by what a camera reads and by what a person types. Ends with 1 if anything is not as it should be.
"""

import argparse
import glob
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import termios
import time

from playwright.sync_api import sync_playwright

TITLE = "Twelve words to keep"

# Name, width and height in CSS pixels, pixels of the screen for each of them, and settings of the browser.
SCREENS = [
    ("phone", 390, 844, 2, {"is_mobile": True}),
    ("small-phone", 320, 568, 2, {"is_mobile": True}),
    ("phone-200-percent", 195, 422, 4, {}),
    ("desktop", 1280, 900, 1, {}),
    ("desktop-200-percent", 640, 450, 2, {}),
    ("dark", 1280, 900, 1, {"color_scheme": "dark"}),
    ("high-contrast", 1280, 900, 1, {"forced_colors": "active"}),
    ("right-to-left", 640, 900, 1, {"locale": "ar"}),
]
PAPERS = ["A4", "Letter", "A5"]

# Where each line of text stands, what cannot be read, and how dark it is on what.
LAYOUT = """() => {
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (!text.data.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      // The number of an item stands before it, and is of no element.
      const room = text.parentElement.localName == 'li' ? box.height * 1.5 : 0;
      boxes.push({text: text.data.trim(), left: box.left - room, right: box.right,
                  top: box.top + 2, bottom: box.bottom - 2});
    }
  }
  const square = document.querySelector('svg').getBoundingClientRect();
  boxes.push({text: 'the square', left: square.left, right: square.right,
              top: square.top, bottom: square.bottom});
  return {boxes, width: document.documentElement.clientWidth,
          wide: document.documentElement.scrollWidth,
          words: [...document.querySelectorAll('ol li')].map(item => item.innerText.trim()),
          check: document.querySelector('code')?.getClientRects().length,
          colours: [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]};
}"""

failures = []


def hold(condition, what):
    if not condition:
        failures.append(what)
        print("  WRONG:", what)


def decoded(image):
    read = subprocess.run(["zbarimg", "--quiet", "--raw", image], capture_output=True, text=True)
    return read.stdout.strip()


def hold_layout(name, layout):
    hold(layout["wide"] <= layout["width"], f"{name}: it has to be pushed sideways")
    boxes = layout["boxes"]
    for box in boxes:
        hold(box["left"] >= -1 and box["right"] <= layout["width"] + 1,
             f"{name}: “{box['text']}” does not stand within the screen")
    for index, one in enumerate(boxes):
        for other in boxes[index + 1:]:
            hold(one["right"] <= other["left"] or other["right"] <= one["left"]
                 or one["bottom"] <= other["top"] or other["bottom"] <= one["top"],
                 f"{name}: “{one['text']}” and “{other['text']}” stand upon each other")
    hold(layout["check"] == 1, f"{name}: the check is not in one piece")


def look(browser, page_file, words, out):
    """Each screen, and the papers; all of them without a request."""
    for name, width, height, scale, settings in SCREENS:
        context = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=scale, **settings)
        page = context.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: failures.append(f"{name}: the browser says {message.text}"))
        page.goto("file://" + page_file)
        if name == "right-to-left":
            page.evaluate("document.documentElement.dir = 'rtl'")
        picture = os.path.join(out, name + ".png")
        page.screenshot(path=picture, full_page=True)
        layout = page.evaluate(LAYOUT)
        print(name)
        hold(asked == ["file://" + page_file], f"{name}: it asked for {asked}")
        hold(page.title() == TITLE, f"{name}: its title is {page.title()!r}")
        hold(layout["words"] == words, f"{name}: other words are seen than those of the file")
        if name not in ("high-contrast", "right-to-left"):
            hold(layout["colours"] == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"],
                 f"{name}: it is not black on white but {layout['colours']}")
        # From right to left the numbers stand on the other side, and pictures are looked at.
        if name != "right-to-left":
            hold_layout(name, layout)
        hold(decoded(picture) == " ".join(words), f"{name}: the square does not give the words")
        if name == "desktop":
            for paper in PAPERS:
                print_on(page, paper, words, out)
        context.close()


def print_on(page, paper, words, out):
    """As a printer without colours makes it, with the margins and lines that the browser adds by itself."""
    print("printed on", paper)
    path = os.path.join(out, paper)
    page.pdf(path=path + ".pdf", format=paper, display_header_footer=True,
             margin=dict.fromkeys(("top", "right", "bottom", "left"), "0.4in"))
    for old in glob.glob(path + "-*.png"):
        os.remove(old)
    subprocess.run(["pdftoppm", "-gray", "-r", "200", "-png", path + ".pdf", path], check=True)
    pictures = glob.glob(path + "-*.png")
    hold(len(pictures) == 1, f"{paper}: it takes {len(pictures)} pages")
    hold([decoded(picture) for picture in pictures] == [" ".join(words)],
         f"{paper}: the square does not give the words")
    text = subprocess.run(
        ["pdftotext", "-layout", path + ".pdf", "-"], check=True, capture_output=True, text=True).stdout
    hold(all(f" {i + 1}. {word}" in " " + " ".join(text.split()) for i, word in enumerate(words)),
         f"{paper}: a word or its number is missing")
    hold("file:" not in text and "kit.html" not in text, f"{paper}: the path of the file is printed")


class Person:
    """The real program, in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = os.path.abspath(program), folder
        for name in ("passphrase", "another"):
            with open(os.path.join(folder, name), "w") as file:
                file.write("grapple unreal vowel stopper ember " + name)

    def command(self, name, *arguments, vault="vault", passphrase="passphrase"):
        return [self.program, name, *arguments, "--vault", vault, "--passphrase-file", passphrase]

    def cairn(self, name, *arguments, **where):
        done = subprocess.run(
            self.command(name, *arguments, "--no-input", **where), cwd=self.folder, capture_output=True, text=True)
        hold(done.returncode == 0, f"cairn {name} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def types(self, line, name, *arguments, **where):
        """Answers the one question of a command on a terminal."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            command = self.command(name, *arguments, **where)
            os.execv(command[0], command)
        said, answered = b"", False
        while select.select([terminal], [], [], 60)[0]:
            try:
                said += os.read(terminal, 4096)
            except OSError:
                break
            if not answered and b"(nothing shows)" in said:
                # What is typed before the terminal is silent does not count.
                while termios.tcgetattr(terminal)[3] & termios.ECHO:
                    time.sleep(0.01)
                os.write(terminal, line.encode() + b"\n")
                answered = True
        os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        hold(status == 0, f"cairn {name}, typed into, ended with {status}: {said.decode(errors='replace')}")


def bring_back(person, read, words):
    """By the line that a camera read, and by the words as somebody types them from the paper."""
    with open(os.path.join(person.folder, "read"), "w") as file:
        file.write(read)
    options = ("--mailbox", "box", "--own-devices", "--kdf", "light")
    person.cairn("recover", "--kit", "read", *options, vault="by-camera", passphrase="another")
    person.types("  ".join(words).title(), "recover", *options, vault="by-hand", passphrase="another")
    for vault in ("by-camera", "by-hand"):
        print("brought back,", vault)
        hold("note.txt" in person.cairn("list", vault=vault, passphrase="another"),
             f"{vault}: what was put in is not there")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--out", required=True)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        person = Person(asked.program, folder)
        person.cairn("init", "--kit", "kit.html", "--kdf", "light")
        with open(os.path.join(folder, "note.txt"), "w") as file:
            file.write("a note")
        os.mkdir(os.path.join(folder, "box"))
        person.cairn("add", "note.txt")
        person.cairn("sync", "--mailbox", "box", "--own-devices")
        page_file = os.path.join(folder, "kit.html")
        with open(page_file) as file:
            items = file.read().split("<ol>")[1].split("</ol>")[0]
        words = items.replace("<li>", " ").replace("</li>", " ").split()
        with sync_playwright() as driver:
            # As root, as in a container, Chromium has no sandbox; it opens our own page and nothing else.
            browser = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            look(browser, page_file, words, asked.out)
            browser.close()
        bring_back(person, decoded(os.path.join(asked.out, "phone.png")), words)
    print(f"{len(failures)} wrong; the pictures are in {asked.out}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
