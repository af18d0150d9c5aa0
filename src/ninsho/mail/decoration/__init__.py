"""Decoration mail (デコメ): what the handsets of Japan's carriers need; a message is built elsewhere."""
