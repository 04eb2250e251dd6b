"""One file per format, all of them pure: bytes in, canonical events or rejections out."""
