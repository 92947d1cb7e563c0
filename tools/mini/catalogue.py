"""Every medium of data/mini: its id, its caption and what a mediocre captioner said of it.

Captions were written by hand for this set. An image has an integer id, as in COCO; the others have
strings. `None` as the captioner's words: it has none for this medium.
"""

SOURCES = {"audio": "mini_audio", "image": "mini_image", "pc": "mini_pc", "video": "mini_video"}

# modality -> name -> (id, caption, captioner's words)
TEST = {
    "audio": {
        "birdsong": ("birdsong", "Small birds chirp and whistle in the morning",
                     "birds are chirping"),
        "clock_tick": ("clock_tick", "A clock ticks slowly in a quiet room",
                       "something is clicking at regular intervals"),
        "dog": ("dog", "A dog barks three times", "a dog barking"),
        "engine": ("engine", "A motor idles and then speeds up", "an engine revving"),
        "footsteps": ("footsteps", "Someone walks past on gravel", "crunching noises"),
        "heartbeat": ("heartbeat", "A heart beats slowly and evenly", "a low thumping sound"),
        "melody": ("melody", "A short cheerful tune is played on a piano",
                   "a piano melody is playing"),
        "phone": ("phone", "A telephone rings twice", "a telephone bell ringing"),
        "rain": ("rain", "Heavy rain falls on a roof", "rain or static noise"),
        "siren": ("siren", "The siren of an ambulance rises and falls",
                  "an emergency siren wailing"),
        "thunder": ("thunder", "A loud clap of thunder with a long rumble", "thunder rumbling"),
        "waves": ("waves", "Waves of the sea roll onto a beach", None),
    },
    "image": {
        "balloons": (104, "Three balloons, one red, one yellow and one blue, on strings",
                     "three colorful balloons"),
        "cat": (108, "A black cat sits on a window sill", "a black cat in front of a window"),
        "chess_board": (109, "An empty chess board without any pieces", "a checkered pattern"),
        "city": (112, "The skyline of a city at night with many lit windows",
                 "a city skyline at night"),
        "house": (102, "A red house with a chimney and a tree in the garden",
                  "a red house next to a tree"),
        "moon": (103, "A full moon and stars above dark hills", "a night sky with a moon"),
        "oranges": (105, "A bowl of oranges on a wooden table", "a bowl of fruit"),
        "sheep": (110, "Five sheep stand on a green meadow", "a herd of white animals in a field"),
        "snowman": (107, "A snowman with a black hat stands in a white garden",
                    "a snowman wearing a hat"),
        "sunset": (101, "The sun sets over the sea behind a small sailing boat",
                   "a boat on the water at sunset"),
        "traffic_light": (106, "A traffic light shows red beside a road", None),
        "wall_clock": (111, "A round wall clock shows three o'clock", "a clock on a wall"),
    },
    "pc": {
        "car": ("car", "A small toy car with four wheels", "a 3D model of a car"),
        "chair": ("chair", "A wooden chair with four legs and a straight back",
                  "a simple chair"),
        "donut": ("donut", "A doughnut in the shape of a ring", "a torus"),
        "dumbbell": ("dumbbell", "A dumbbell with two round weights",
                     "a rod with two discs on its ends"),
        "fir_tree": ("fir_tree", "A fir tree made of three cones", "a green tree"),
        "house": ("house", "A model of a house with a pitched roof", "a small building"),
        "mug": ("mug", "A mug with a handle for hot drinks", "a cylindrical container"),
        "rocket": ("rocket", "A toy rocket with a pointed nose and three fins",
                   "a white rocket model"),
        "snowman": ("snowman", "A snowman made of three balls", None),
        "table": ("table", "A round table on one leg, with room for plates and glasses",
                  "a round table"),
    },
    "video": {
        "ball": ("ball", "A red ball bounces across the floor", "a red ball bouncing"),
        "car": ("car", "A blue car drives along a road", "a blue vehicle moving"),
        "clouds": ("clouds", "White clouds drift slowly across the sky over a green hill",
                   "clouds moving in the sky"),
        "fireworks": ("fireworks", "Fireworks burst in the night sky during a celebration",
                      "bright lights in the dark"),
        "fish": ("fish", "Three fish swim under water in an aquarium", "fish swimming"),
        "pendulum": ("pendulum", "A pendulum swings from side to side", "an object swinging"),
        "rocket": ("rocket", "A rocket lifts off and leaves the ground in flames",
                   "a rocket launching"),
        "snow": ("snow", "Snow falls slowly on a fir tree", None),
    },
}

VALIDATION = {
    "audio": {
        "alarm": ("alarm", "An alarm clock beeps in the morning", "a beeping sound"),
        "church_bell": ("church_bell", "A church bell strikes four times", "a bell tolling"),
        "drum": ("drum", "A drum keeps a steady beat", "drumming"),
        "typing": ("typing", "Someone types a letter on a keyboard", "a keyboard clicking"),
        "whistle": ("whistle", "Somebody whistles a falling tune", "a person whistling"),
        "wind": ("wind", "A storm howls around the house", "wind blowing"),
    },
    "image": {
        "apple": (203, "A red apple with a leaf on a white table", "an apple on a table"),
        "bus": (202, "A yellow bus for many passengers on a street", "a yellow school bus"),
        "campfire": (204, "A campfire warms two tents at night", "a fire between tents"),
        "fish_bowl": (205, "An orange fish in a round bowl of water", "a goldfish in a bowl"),
        "lake": (206, "A calm lake in front of mountains with snowy tops",
                 "mountains behind a lake"),
        "lighthouse": (201, "A lighthouse on a cliff guides ships with its light",
                       "a red and white tower by the sea"),
    },
    "pc": {
        "boat": ("boat", "A rowing boat with two benches", "a small boat"),
        "bridge": ("bridge", "A stone bridge with an arch", "an arch"),
        "key": ("key", "A large key for a door", "a key"),
        "lamp": ("lamp", "An electric desk lamp", "a lamp on a stand"),
        "pyramid": ("pyramid", "A pyramid with five steps", "a stack of square plates"),
    },
    "video": {
        "candle": ("candle", "The flame of a candle flickers in the dark", "a candle burning"),
        "paddles": ("paddles", "In a game for two, paddles hit a ball back and forth",
                    "a game of pong"),
        "train": ("train", "A train crosses a long bridge", "a train moving"),
        "windmill": ("windmill", "The sails of a windmill turn in the wind",
                     "a windmill turning"),
    },
}
