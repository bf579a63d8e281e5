# A function to a module: importApply gives it its first arguments.
{ start }:
{ lib, ... }:
{
  options.count = lib.mkOption { default = start; };
}
