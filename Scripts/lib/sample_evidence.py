"""Draws screenshots of an invented chat, as sample evidence: sample_evidence.py FOLDER

Every name and address in them is made up. Needs Pillow (Debian: python3-pil).
"""

import pathlib
import random
import sys

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 540, 1200
CHATS = [
    [("them", "I know where you work."), ("me", "Leave me alone."), ("them", "Or what?")],
    [("them", "Send me more or I post"), ("them", "these to everyone."), ("me", "I told you to stop.")],
    [("them", "It is already online."), ("them", "example.org/p/4711"), ("me", "I have kept all of this.")],
]


def draw(number, chat):
    noise = random.Random(number)
    image = Image.new("RGB", (WIDTH, HEIGHT), (236, 229, 221))
    pen = ImageDraw.Draw(image)
    # Texture, so that a picture has the size of a real screenshot.
    for _ in range(24_000):
        at = noise.randrange(WIDTH), noise.randrange(HEIGHT)
        shade = noise.randrange(216, 240)
        pen.point(at, (shade, shade - 6, shade - 14))
    pen.rectangle((0, 0, WIDTH, 84), fill=(58, 90, 110))
    pen.text((24, 34), f"someone_{number}77  -  last seen today", fill="white")
    y = 130
    for who, words in chat * 4:
        left = 40 if who == "them" else 230
        fill = (255, 255, 255) if who == "them" else (214, 240, 200)
        pen.rounded_rectangle((left, y, left + 270, y + 58), 14, fill=fill)
        pen.text((left + 18, y + 22), words, fill=(30, 30, 30))
        y += 84
    return image


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, chat in enumerate(CHATS, 1):
        draw(number, chat).save(folder / f"screenshot-{number}.png")


if __name__ == "__main__":
    main()
