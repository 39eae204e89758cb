"""Radiographs computed from physics: random chests, exact parallel projection, Beer-Lambert, quantum noise.

They stand in for data that cannot be fetched freely, so that every stage can be run, tested and timed. No
clinical statement follows from them. ``tree.write_tree`` is the entry; ``plan.image_count`` says how many.
"""
