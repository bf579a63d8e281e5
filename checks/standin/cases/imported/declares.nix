# Declares the option `list` and defines it once: modules are told apart by file.
{ lib, ... }:
{
  options.list = lib.mkOption { type = lib.types.listOf lib.types.int; };
  config.list = [ 1 ];
}
