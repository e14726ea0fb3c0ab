// The parts of this library are in the files beside this one.
