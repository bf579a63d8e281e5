# A duration as options have it, in whole seconds for systemd: rounded up, so that what waits waits long enough.
{ lib }:
text:
let
  parts = builtins.match "([0-9]{1,12})(ms|s|m|h|d|w)" text;
  factor = {
    ms = 1;
    s = 1000;
    m = 60 * 1000;
    h = 60 * 60 * 1000;
    d = 24 * 60 * 60 * 1000;
    w = 7 * 24 * 60 * 60 * 1000;
  };
  milliseconds = lib.toIntBase10 (lib.head parts) * factor.${lib.last parts};
in
# A text that is no duration does not build anyway: the generator or the option's type says so.
if parts == null then 0 else (milliseconds + 999) / 1000
