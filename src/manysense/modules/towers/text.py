"""The starter's text tower as a module: the sum of one low-rank vector per token.

Knows: that the numbers are those of manysense.starter.text, here as parameters that can be trained. Does not know:
prompts, the other towers.
"""
