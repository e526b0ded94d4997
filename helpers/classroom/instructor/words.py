"""Makes the word of a class: short, and easy to say, to hear and to type."""

import secrets

FIRST = """
big black blue bold brave bright brown busy calm clean clear clever cold cool dark deep dry early easy fair fast fine
fresh full funny gentle glad gold good grand gray great green happy high honest hot huge kind large last late light
little long loud low lucky merry mild modern near neat new nice noble old open orange pink plain polite proud pure
purple quick quiet rapid rare ready red rich right round royal safe sharp shiny short silent silver simple slow small
smart smooth soft solid sour south square steady still strong sunny super sweet swift tall tender thick thin tidy tiny
warm west white whole wide wild wise wooden yellow young
"""
SECOND = """
actor anchor animal apple arrow artist autumn badge bag baker ball banana banjo barrel basket beach bean bear bell
berry bicycle bird blanket boat book bottle bowl box bread bridge brush bucket butter button cabin cactus cake camel
camera candle canyon captain car carpet carrot castle cat chair cherry circle city clock cloud coat coffee comet
cookie corn cotton cousin crown cup dancer desert desk diamond doctor dolphin donkey door dragon drum duck eagle earth
echo egg elephant engine farmer feather field finger fire fish flag flower forest fox friend frog garden gate ghost
giraffe glass glove goat grape guitar hammer harbor hat hill honey horse hotel house island jacket jungle kettle key
king kitchen kite kitten ladder lake lamp leaf lemon letter lion lizard lobster lunch magnet mango map market melon
mirror monkey moon morning mountain mouse music needle night nurse ocean onion orchard otter owl oyster paint panda
paper park parrot peach pencil penguin pepper piano picture pigeon pilot pirate planet pocket pond pony potato puzzle
queen rabbit radio rain ribbon ring river road robot rocket rose sailor salad salmon school shadow sheep ship shoe
singer sister snow soup spider spoon spring star station stone storm street sugar summer sun swan table tea teacher
tiger tomato tower train tree tulip tunnel turtle umbrella uncle valley violin wagon walnut water whale wheel window
winter wizard wolf zebra
"""


def new_word() -> str:
    """Two words, such as "green tiger"; which ones, nobody can tell before."""
    return " ".join(secrets.choice(each.split()) for each in (FIRST, SECOND))
