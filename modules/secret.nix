# What is secret and stands in an option all the same: refused by its path before a spec is written, since whoever can log
# in reads the Nix store. The value is never shown, as that of a wrong type would be.
#
# As crates/cim-spec/src/secret.rs and password.rs have it: the build looks once more, for specs that Nix did not make.
{ lib }:
let
  matches = pattern: text: builtins.match pattern text != null;

  # A seed or most of one anywhere, a private key, or a URL with a password or token.
  isSecret =
    text:
    matches "(.*[^A-Z2-7])?S[A-Z2-7]{40}.*" text
    || lib.hasInfix "PRIVATE KEY-----" text
    || matches ".*://[^/?# ,\"]*@.*" text;
  isHash = matches "[$]2[aby][$][0-9]{2}[$][./A-Za-z0-9]{53}";
  isPublicKey = matches "[A-Z0-9]{56}";

  # Keys of nats.conf whose value is one.
  namesSecret =
    key:
    lib.elem (lib.toLower key) [
      "password"
      "pass"
      "token"
      "secret"
      "seed"
      "key"
      "ek"
      "encryption_key"
      "prev_key"
      "prev_ek"
      "prev_encryption_key"
      "encryption_password"
      "srk_password"
    ];

  below = at: name: "${at}.${lib.showOption [ name ]}";
  inAll =
    find: at: set:
    lib.concatLists (lib.mapAttrsToList (name: find (below at name)) set);
  problem =
    at: what: help:
    "${at}: ${what}\n  help: ${help}";
  anew = "and make a new one: a flake's own files are in the Nix store, too";

  # `null`: nothing is said there.
  nkey =
    at: text:
    lib.optional (text != null && isSecret text) (
      problem at "holds a seed (it is not shown)" "write the public half, ${anew}"
    );
  passwordHash =
    at: text:
    lib.optional (text != null && !isHash text) (
      problem at "is no bcrypt hash (it is not shown: it may be a password)"
        "write what `nats server passwd` prints, ${anew}"
    );

  user = at: user: nkey "${at}.nkey" user.nkey ++ passwordHash "${at}.passwordHash" user.passwordHash;
  account =
    at: account: nkey "${at}.nkey" (account.nkey or null) ++ inAll user "${at}.users" account.users;
  authCallout =
    at: options:
    lib.optionals (options != null) (
      nkey "${at}.issuer" options.issuer ++ nkey "${at}.xkey" options.xkey
    );

  # Every value at a key of nats.conf, and below it.
  settings =
    key: at: value:
    if lib.isAttrs value then
      lib.concatLists (lib.mapAttrsToList (name: settings name (below at name)) value)
    else if lib.isList value then
      lib.concatMap (settings key at) value
    else
      let
        isIt =
          if lib.isString value then
            isSecret value || (namesSecret key && !isHash value && !isPublicKey value)
          else
            (lib.isInt value || lib.isFloat value) && namesSecret key;
      in
      lib.optional isIt (
        problem at "holds a secret (it is not shown)"
          "put it into a file on the host and name that in the option for it, ${anew}"
      );

  refuse = problems: lib.throwIf (problems != [ ]) (lib.concatStringsSep "\n" problems);
in
{
  # A fleet as it is declared → a function that gives its argument, where there is no secret in it.
  fleet =
    declared:
    let
      at = "services.cim.fleet";
      leaf = at: leaf: nkey "${at}.nkey" leaf.nkey;
    in
    refuse (
      inAll account "${at}.accounts" declared.accounts
      ++ inAll leaf "${at}.leaves" declared.leaves
      ++ authCallout "${at}.authCallout" declared.authCallout
    );

  # The options of an instance, at their path: likewise.
  instance =
    at: options:
    refuse (
      settings "settings" "${at}.settings" options.settings
      ++ inAll account "${at}.accounts" (options.accounts or { })
      ++ authCallout "${at}.authCallout" (options.authCallout or null)
    );
}
