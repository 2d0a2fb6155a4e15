"""What somebody else might install: a package that brings a kind of its own. The tests copy it out of the tree."""
