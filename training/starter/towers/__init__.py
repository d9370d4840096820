"""The picture tower and the sound tower: their targets, training and export."""
