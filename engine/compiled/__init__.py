"""Operations compiled to plans: breadth first, a level at a time, each level written out as straight-line Python."""
