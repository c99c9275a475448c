"""Names that are no other word, so that they are names wherever they stand, whatever their case.

Capitals tell nothing at the beginning of a sentence, in a title, and in a key of data. These are
what a model most often brings in from elsewhere: people, places, peoples.
"""

PROPER_NAMES = frozenset(
    """
    aaron abigail abraham adam adrian agatha agnes alan albert alexander alexandra alfred alice
    alison amanda amy andrea andrew angela anita anna anne annie anthony antonio arnold arthur
    audrey barbara barry beatrice benjamin bernard bertha betty billy brenda brian bruce calvin
    carl carla carlos carmen caroline catherine cecil charles charlie charlotte chloe christina
    christine christopher clara clarence claude claudia clifford colin craig cynthia daniel danny
    david deborah denise dennis derek diana diane donald doris dorothy douglas edgar edith edmund
    edward edwin eileen elaine eleanor elizabeth ellen emily emma eric ernest ethan ethel eugene
    evelyn felix ferdinand francis fred frederick gareth gary geoffrey george gerald gertrude
    gilbert gladys gordon greta gregory gustav hannah hans harold harriet harry harvey heinrich
    helen helena henri henry herbert herman horace howard hubert hugh ian ingrid isaac isabel
    isabella ivan jacob jacques james jane janet jason jennifer jenny jeremy jerome jessica jimmy
    joan joanna joe joel johann johannes john johnny jonathan jose joseph josephine joshua juan
    julia julian julie julius karen karl kate katherine kathleen keith kenneth kevin larry laura
    laurence lawrence leo leonard leonardo leslie lewis linda lisa lloyd louis louisa louise lucas
    lucy luis lydia malcolm marcel marco marcus margaret maria marilyn mario marion martha martin
    mary matilda matthew maurice michael michel michelle mildred molly monica moses muriel nancy
    naomi natalie nathan neil nicholas nicole nigel nina noah nora norman olga oliver oscar oswald
    otto pamela patricia patrick paul pauline percy peter philip rachel ralph raymond rebecca
    reginald richard robert roberto roger roland ronald rosemary sally samantha samuel sandra sarah
    sean sebastian sharon sheila shirley simon sophia sophie stella stephanie stephen steve steven
    stuart susan sylvia teresa theodore theresa thomas timothy tony ursula valerie veronica
    victoria vincent virginia vivian vladimir walter wendy wilfred wilhelm william winifred winston
    yvonne

    aristotle bach beethoven bismarck bonaparte browning caesar churchill columbus copernicus
    cromwell darwin descartes dickens edison einstein eisenhower euclid evans faraday fleming
    galileo gandhi goethe harding hitler kepler lenin lincoln luther marx michelangelo mozart
    mussolini napoleon nixon pasteur phillips plato reagan roosevelt shakespeare smith socrates
    stalin tolstoy truman voltaire

    africa alaska albania alexandria algeria america amsterdam antarctica arabia argentina arizona
    asia athens atlanta atlantic australia austria baghdad baltimore bangkok barcelona bavaria
    beijing belfast belgium berlin birmingham bombay boston brazil bristol britain brooklyn
    brussels budapest bulgaria cairo calcutta california cambodia cambridge canada chicago chile
    colombia colorado copenhagen cornwall croatia cuba denmark detroit dresden dublin edinburgh
    egypt england ethiopia europe finland florence florida france geneva genoa germany ghana
    glasgow greece haiti hamburg hawaii holland houston hungary iceland illinois india indiana
    indonesia iran iraq ireland israel istanbul italy jamaica japan jerusalem kansas kent kentucky
    kenya korea lebanon leningrad libya lisbon liverpool london louisiana luxembourg lyon madrid
    malaysia malta manchester manhattan marseille maryland massachusetts mediterranean melbourne
    mexico miami michigan milan minnesota mississippi missouri mongolia montana montreal morocco
    moscow munich naples nebraska nepal netherlands nevada nigeria norway ohio oklahoma ontario
    oregon oslo oxford pakistan palestine paris pennsylvania peru philadelphia philippines
    pittsburgh poland portugal prague quebec rome romania russia scotland seattle serbia shanghai
    siberia sicily singapore somalia spain stockholm sudan sweden switzerland sydney syria taiwan
    texas thailand tokyo toronto tunisia uganda ukraine venice vermont vienna vietnam wales warsaw
    washington wisconsin yorkshire yugoslavia zurich

    african american arab arabic asian australian austrian belgian brazilian british bulgarian
    canadian chinese cuban czech danish dutch egyptian english ethiopian european finnish french
    german greek hebrew hungarian indian iranian iraqi irish israeli italian japanese jewish korean
    mexican norwegian persian peruvian portuguese prussian romanian russian scottish serbian soviet
    spanish swedish swiss turkish ukrainian vietnamese welsh
    """.split()
)
