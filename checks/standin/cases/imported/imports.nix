# A module that imports another file.
{
  imports = [ ./defines.nix ];
  list = [ 3 ];
}
