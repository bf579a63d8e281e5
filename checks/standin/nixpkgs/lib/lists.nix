# Functions on lists.
lib:
let
  inherit (builtins)
    isList
    ;
in
rec {
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    groupBy
    head
    length
    partition
    sort
    tail
    ;

  singleton = x: [ x ];
  toList = x: if isList x then x else [ x ];
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: xs: if condition then xs else [ ];
  forEach = xs: f: map f xs;
  replicate = n: x: genList (_: x) n;
  range = first: last: genList (i: first + i) (lib.max 0 (last - first + 1));

  foldr =
    op: nul: xs:
    let
      n = length xs;
      from = i: if i == n then nul else op (elemAt xs i) (from (i + 1));
    in
    from 0;
  fold = foldr;
  foldl = op: foldl' (acc: x: op acc x);
  imap0 = f: xs: genList (i: f i (elemAt xs i)) (length xs);
  imap1 = f: imap0 (i: f (i + 1));
  ifilter0 =
    predicate: xs:
    map (i: elemAt xs i) (filter (i: predicate i (elemAt xs i)) (genList lib.id (length xs)));

  last =
    xs: if xs == [ ] then throw "lists.last: list must not be empty!" else elemAt xs (length xs - 1);
  init =
    xs:
    if xs == [ ] then
      throw "lists.init: list must not be empty!"
    else
      genList (elemAt xs) (length xs - 1);
  take = n: sublist 0 n;
  drop = n: xs: sublist n (length xs) xs;
  takeEnd = n: xs: drop (length xs - n) xs;
  dropEnd = n: xs: take (length xs - n) xs;
  sublist =
    start: count: xs:
    genList (i: elemAt xs (i + start)) (lib.max 0 (lib.min count (length xs - start)));
  reverseList =
    xs:
    let
      n = length xs;
    in
    genList (i: elemAt xs (n - 1 - i)) n;

  flatten = x: if isList x then concatMap flatten x else [ x ];
  remove = unwanted: filter (x: x != unwanted);
  unique = foldl' (acc: x: if elem x acc then acc else acc ++ [ x ]) [ ];
  allUnique = xs: length (unique xs) == length xs;
  subtractLists = unwanted: filter (x: !(elem x unwanted));
  intersectLists = wanted: filter (x: elem x wanted);
  mutuallyExclusive = a: b: !(any (x: elem x a) b);
  naturalSort = sort (a: b: builtins.compareVersions a b < 0);
  sortOn = f: sort (a: b: f a < f b);

  findFirstIndex =
    predicate: default: xs:
    let
      found = filter (i: predicate (elemAt xs i)) (genList lib.id (length xs));
    in
    if found == [ ] then default else head found;
  findFirst =
    predicate: default: xs:
    let
      found = findFirstIndex predicate null xs;
    in
    if found == null then default else elemAt xs found;
  findSingle =
    predicate: default: multiple: xs:
    let
      found = filter predicate xs;
    in
    if found == [ ] then
      default
    else if length found != 1 then
      multiple
    else
      head found;
  count = predicate: xs: length (filter predicate xs);

  zipListsWith =
    f: xs: ys:
    genList (i: f (elemAt xs i) (elemAt ys i)) (lib.min (length xs) (length ys));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  compareLists =
    cmp: a: b:
    if a == [ ] || b == [ ] then
      lib.compare (length a) (length b)
    else
      let
        order = cmp (head a) (head b);
      in
      if order == 0 then compareLists cmp (tail a) (tail b) else order;
  groupBy' =
    op: nul: key: xs:
    builtins.mapAttrs (_: foldl op nul) (builtins.groupBy key xs);
}
