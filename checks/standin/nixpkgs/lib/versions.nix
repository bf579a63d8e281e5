# Functions on version strings.
lib: rec {
  inherit (builtins) splitVersion;
  major = version: builtins.elemAt (splitVersion version) 0;
  minor = version: builtins.elemAt (splitVersion version) 1;
  patch = version: builtins.elemAt (splitVersion version) 2;
  majorMinor = version: lib.concatStringsSep "." (lib.take 2 (splitVersion version));
  pad =
    n: version:
    let
      numbers = splitVersion (lib.head (lib.splitString "-" version));
      suffix = lib.removePrefix (lib.head (lib.splitString "-" version)) version;
    in
    lib.concatStringsSep "." (lib.take n (numbers ++ lib.replicate n "0")) + suffix;
}
