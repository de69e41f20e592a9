/// The words that common passwords are made of: what people call things that they like, and what they are told to replace.
enum CommonWords {
    /// Lower-case letters only.
    static let all: Set<String> = Set(
        """
        abcdef access account action adidas admin administrator adobe adrian albert alexander alexis always amanda america
        amsterdam andrea andrew angel angela angels animal anthony apollo apple april arsenal artist asdf asdfasdf asdfgh
        ashley august austin autumn awesome azerty baby babygirl backup badboy bailey banana bandit barcelona baseball
        basket basketball batman beautiful beauty benjamin berlin bigdog bismillah biteme blabla blahblah blessed blessing
        blink blue bonnie boston brandon brazil brother bubbles buddy buster butterfly caliente camaro canada captain carlos
        carolina casper celtic champion change changeit changeme charles charlie charlotte cheese chelsea cherry chester
        chicago chicken chocolate christ christian christmas christopher cinderella claudia coffee college computer connect
        control cookie cooper corona corvette cowboy crazy creative crystal daddy dakota dallas dance daniel daniela darling
        database david dearbook december default delete denise denver desktop diamond digital direct doctor dolphin donald
        dragon dreams eagle eagles edward einstein elephant elizabeth emerald enter estrella eternity everton example
        extreme facebook faith falcon family fantasy fashion father ferrari finish fire fireball firebird fish fisher flower
        flowers football forever france francis freddy freedom french friday friend friends frosty fuckyou future gabriel
        galaxy games garden garfield gateway general genesis george germany giants ginger giovanni girl gizmo goblue god
        golden golf goodluck google gordon grace graham grandma green guest guitar hammer hannah happy happiness hardcore
        harley harvey heart heather heaven hello helloworld hercules hockey holiday home honda honey hooters horses house
        houston hummer hunter hunting iceman iloveyou incorrect india infinity intel internet ireland isabella jackson
        jaguar jasmine jason jennifer jeremy jessica jesus jonathan jordan joseph joshua juliana july junior justice justin
        kawasaki kelly killer king kingdom kitten kitty lakers lasvegas lauren legend leonardo leopard letmein
        letmeinplease liberty life light lincoln linkin lions little liverpool login london loulou love loveislife lovely
        loveme lover lovers lucky madison maggie magic manager manchester march maria marina marine marley martin marvin
        master masterkey matrix matthew maverick maxwell melissa mercedes merlin metallica mexico michael michelle mickey
        midnight miller million minecraft mission mohamed monday money monika monkey monster montana monster morgan mother
        mountain movie music mustang mypassword myspace naruto nascar natasha nathan nature newpassword newyork nicholas
        nicole nintendo nirvana nissan nothing november ocean october office oliver olivia online opensesame orange orlando
        pakistan panther paradise paris parker pass passpass passphrase passwd password passwords passwort patricia patrick
        peace peaches peanut pencil penguin pepper perfect personal phantom phoenix picture pineapple pirate player
        playboy playstation please pokemon police poohbear popcorn porsche portugal power precious president prince
        princess private program project public pumpkin puppy purple qazwsx qwert qwerty qwertyui qwertyuiop qwertz rabbit
        rachel rainbow raiders random ranger rangers realmadrid rebecca redsox regina register remember reset richard
        ricardo robert rocket romeo ronaldo root rosebud russia sabrina sakura sammy samantha samson samsung sandra santa
        santiago saturday scooter scorpion scotland secret security sebastian september server service shadow shannon
        shalom sharon shopping silver simple single sister slipknot smile smokey snoopy snowball soccer soleil something
        sophie spanky sparky special spider spiderman spirit sports spring stanley star starlight stars startrek starwars
        stella steven strawberry student stupid success summer sunday sunflower sunshine super superman superstar superuser
        supervisor support swordfish sydney system tamara tarheels taylor teacher team tekkit telecom temp temporary tennis
        teresa test tester testing testtest theman thomas thunder tiffany tiger tigers tigger tinker tomorrow toyota travel
        trinity trouble trustme trustnoone turtle twilight united unknown user username valentina valentine vanessa
        velvet veronica victor victoria victory viking vincent violet virginia volcom walter warrior watermelon wedding
        welcome whatever white wilbur wildcat william williams willow windows winner winston winter wizard wolverine women
        wonder world xavier yamaha yankees yellow yourpassword yourself zxcvbn zxcvbnm
        """.split { $0 == " " || $0 == "\n" }.map(String.init)
    )

    /// The lengths that there are.
    static let lengths = Set(all.map(\.count)).sorted()
}
