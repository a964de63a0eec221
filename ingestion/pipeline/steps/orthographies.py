"""How letters are said, in the 39 phones of the en-us acoustic model, one table per orthography.

An entry is `letters:PHONE_PHONE`; `letters(x)` holds only before one of the letters x, `#` is the
word's end, `^` its start. The longest entry wins. A language without a table of its own uses LATIN,
whose vowels are those of Italian. These are for finding words in time, not for teaching anyone to
speak.
"""

# ruff: noqa: RUF001 (letters of other scripts are this module's subject)

LATIN = """
a:AA b:B c:K c(eiy):S ch:CH d:D e:EH f:F g:G h:HH i:IY j:JH k:K l:L m:M n:N o:OW p:P q:K qu:K_W
r:R s:S sh:SH t:T u:UW v:V w:W x:K_S y:Y y#:IY z:Z th:TH ph:F ng:NG_G ny:N_Y dh:DH kh:K gh:G zh:ZH
ai:AY au:AW ei:EY oi:OY aa:AA ee:EY ii:IY oo:OW uu:UW bb:B cc:K dd:D ff:F gg:G kk:K ll:L mm:M nn:N
pp:P rr:R ss:S tt:T zz:Z ñ:N_Y ç:S ß:S æ:AE ø:ER å:AO œ:ER ð:DH þ:TH ł:W đ:D ı:IH ş:SH ţ:T_S ș:SH
ț:T_S č:CH š:SH ž:ZH ć:CH ń:N_Y ś:SH ź:ZH ż:ZH ğ:Y ɓ:B ɗ:D ƙ:K ŋ:NG ɛ:EH ɔ:AO ə:AH ʻ: ':
"""
ENGLISH = """
a:AE a#:AH ai:EY ay:EY au:AO aw:AO ar:AA_R al:AO_L b:B c:K c(eiy):S ch:CH ck:K d:D dge:JH e:EH e#:
ea:IY ee:IY ei:EY er:ER ew:UW ey:IY f:F g:G g(ei):JH gh: h:HH i:IH ie:IY igh:AY ir:ER j:JH k:K kn:N
l:L ll:L m:M mm:M n:N ng:NG nn:N o:AA oa:OW oi:OY oo:UW or:AO_R ou:AW ow:OW oy:OY o#:OW p:P ph:F
pp:P q:K qu:K_W r:R rr:R s:S sh:SH ss:S t:T tch:CH th:TH tion:SH_AH_N tt:T u:AH ur:ER u#:UW v:V w:W
wh:W wr:R x:K_S y:IY z:Z zz:Z i#:IY es#:Z ':
"""
SWAHILI = """
a:AA b:B ch:CH d:D dh:DH e:EH f:F g:G gh:G h:HH i:IY j:JH k:K kh:K l:L m:M n:N ng':NG ng:NG_G ny:N_Y
o:AO p:P r:R s:S sh:SH t:T th:TH u:UW v:V w:W y:Y z:Z mb:M_B nd:N_D nj:N_JH nz:N_Z c:K q:K x:K_S
aa:AA ee:EH ii:IY oo:AO uu:UW ':
"""
SPANISH = """
a:AA b:B c:K c(eiéí):S ch:CH d:D e:EH f:F g:G g(eiéí):HH gu(eiéí):G gü:G_W h: i:IY i(aeou):Y j:HH
k:K l:L ll:Y m:M n:N ñ:N_Y o:OW p:P qu:K q:K r:R rr:R s:S t:T u:UW u(aeio):W v:B w:W x:K_S y:Y y#:IY
z:S ai:AY ay:AY ei:EY ey:EY oi:OY oy:OY au:AW ':
"""
FRENCH = """
a:AA à:AA â:AA ai:EH ain:AE_N an:AA_N am(bp):AA_M au:OW eau:OW b:B c:K c(eiéèêy):S ç:S ch:SH d:D d#:
e:AH e#: es#: ent#: é:EY è:EH ê:EH ë:EH ei:EH en:AA_N em(bp):AA_M er#:EY ez#:EY et#:EY eu:ER œu:ER
f:F g:G g(eiéèêy):ZH gn:N_Y gu(eiéè):G h: i:IY î:IY ï:IY ien:Y_AE_N in:AE_N im(bp):AE_M ille:IY_Y
j:ZH k:K l:L ll:L m:M mm:M n:N nn:N o:OW ô:OW oi:W_AA ou:UW où:UW on:OW_N om(bp):OW_M oin:W_AE_N
p:P p#: ph:F qu:K q:K r:R rr:R s:S s#: ss:S sc(ei):S t:T t#: th:T tion:S_Y_OW_N tt:T u:UW ù:UW û:UW
ui:W_IY un#:AE_N v:V w:W x:K_S x#: y:IY z:Z z#: ':
"""
GERMAN = """
a:AA aa:AA ah:AA ai:AY ay:AY au:AW ä:EH äu:OY b:B b#:P c:K ch:HH ck:K chs:K_S d:D d#:T dt:T e:EH
e#:AH ee:EY eh:EY ei:AY ey:AY en#:AH_N er#:ER el#:AH_L eu:OY f:F ff:F g:G g#:K h:HH i:IH ie:IY
ih:IY ig#:IH_HH j:Y k:K l:L ll:L m:M mm:M n:N nn:N ng:NG nk:NG_K o:OW oh:OW ö:ER öh:ER p:P pf:P_F
ph:F pp:P qu:K_V r:R rr:R s:S s(aeiouäöü):Z sch:SH ^sp:SH_P ss:S ^st:SH_T ß:S t:T th:T tt:T tz:T_S
tsch:CH tion:T_S_Y_OW_N u:UH uh:UW ü:IY üh:IY v:F w:V x:K_S y:IY z:T_S ':
"""
PORTUGUESE = """
a:AA ã:AA_N ão:AW_N b:B c:K c(eiéê):S ç:S ch:SH d:D e:EH é:EH ê:EY em#:EY_N f:F g:G g(eiéê):ZH
gu(ei):G h: i:IY j:ZH k:K l:L lh:L_Y m:M n:N nh:N_Y o:OW ões:OY_N_S o#:UW ou:OW p:P qu(ei):K qu:K_W
r:R rr:HH s:S ss:S t:T u:UW v:V w:W x:SH y:IY z:Z z#:S ai:AY ei:EY oi:OY au:AW ':
"""
SOMALI = """
a:AA aa:AA b:B c: d:D dh:D e:EH ee:EY f:F g:G h:HH i:IY ii:IY j:JH k:K kh:K l:L m:M n:N o:AO oo:OW
q:K r:R s:S sh:SH t:T u:UW uu:UW w:W x:HH y:Y ay:AY ey:EY oy:OY aw:AW bb:B dd:D gg:G ll:L mm:M nn:N
rr:R ':
"""
BANTU_C = """
a:AA b:B bh:B c:CH ch:CH d:D dl:D_L dz:D_Z e:EH f:F g:G h:HH hh:HH hl:SH i:IY j:JH k:K kh:K ky:CH
l:L m:M n:N ng:NG_G ng':NG ny:N_Y o:AO p:P ph:P q:K r:R s:S sh:SH sv:S_W t:T th:T ts:T_S tsh:CH u:UW
v:V w:W x:K y:Y z:Z zh:ZH zv:Z_W aa:AA ee:EH ii:IY oo:AO uu:UW ':
"""
YORUBA = """
a:AA b:B d:D e:EY ẹ:EH f:F g:G gb:G_B h:HH i:IY j:JH k:K l:L m:M n:N o:OW ọ:AO p:P r:R s:S ṣ:SH t:T
u:UW w:W y:Y an#:AA_N in#:IY_N un#:UW_N ọn#:AO_N ':
"""
MALAY = """
a:AA b:B c:CH d:D e:AH f:F g:G h:HH i:IY j:JH k:K kh:K l:L m:M n:N ng:NG ngg:NG_G ny:N_Y o:OW p:P
q:K r:R s:S sy:SH t:T u:UW v:V w:W x:K_S y:Y z:Z ai#:AY au#:AW ':
"""
TURKISH = """
a:AA b:B c:JH ç:CH d:D e:EH f:F g:G ğ: h:HH ı:IH i:IY j:ZH k:K l:L m:M n:N o:OW ö:ER p:P r:R s:S
ş:SH t:T u:UW ü:IY v:V y:Y z:Z w:V x:K_S q:K ':
"""
CYRILLIC = """
а:AA б:B в:V г:G ґ:G д:D е:Y_EH ё:Y_OW ж:ZH з:Z и:IY і:IY ї:Y_IY й:Y к:K л:L м:M н:N о:AO п:P р:R
с:S т:T у:UW ў:W ф:F х:HH ц:T_S ч:CH ш:SH щ:SH ъ: ы:IH ь: э:EH є:Y_EH ю:Y_UW я:Y_AA ј:Y љ:L њ:N_Y
ћ:CH ђ:JH џ:JH қ:K ғ:G ң:NG ө:ER ү:UW ұ:UH һ:HH ә:AE
"""

TABLES = {
    "": LATIN,
    "en": ENGLISH,
    "sw": SWAHILI,
    "es": SPANISH,
    "fr": FRENCH,
    "de": GERMAN,
    "pt": PORTUGUESE,
    "so": SOMALI,
    "lg": BANTU_C,
    "ny": BANTU_C,
    "sn": BANTU_C,
    "zu": BANTU_C,
    "xh": BANTU_C,
    "nd": BANTU_C,
    "ss": BANTU_C,
    "rw": BANTU_C,
    "rn": BANTU_C,
    "ha": BANTU_C,
    "yo": YORUBA,
    "id": MALAY,
    "ms": MALAY,
    "tr": TURKISH,
}
SHARED = CYRILLIC
"""Used beside every table: a Russian name in a Swahili text is still said."""
