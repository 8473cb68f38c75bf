-- Tables made from the description.
local tables, structs, channels, agent, agent_header = {}, {}, {}, {}, nil

tables.colour = {kind = "enum", names = {
    [0] = "RED",
    [1] = "GREEN",
    [7] = "BLUE",
}}
tables.style = {kind = "flags", names = {
    {0x1, "FILLED"},
    {0x10, "DASHED"},
}}
tables.example_cap = {kind = "enum", names = {
    [0] = "CELLS",
}}
structs.corner = {
    {name = "x", kind = "i16"},
    {name = "y", kind = "i16"},
}
structs.shape = {
    {name = "colour", kind = "u8", values = "colour"},
    {name = "num_corners", kind = "u8"},
    {rule = function(v, context, parameter) return v.num_corners <= 64 end,
        reason = "too many corners"},
    {name = "corners", struct = "corner", count = function(v, context, parameter) return v.num_corners end},
    {name = "style", kind = "u16", values = "style"},
    {when = function(v, context, parameter) return has(v.style, 16) end, items = {
        {name = "gap", kind = "u32"},
        {rule = function(v, context, parameter) return v.gap > 0 and v.gap < 100 end,
            reason = "gap of no use"},
    }, otherwise = {
        {name = "label_size", kind = "u32"},
        {name = "label", kind = "bytes", pointer = true, count = function(v, context, parameter) return v.label_size end},
    }},
}
structs.cell = {
    {name = "width", kind = "u8"},
    {name = "pixels", kind = "bytes", count = function(v, context, parameter) return math.floor((v.width * parameter + 7) / 8) end},
}
local channel_example = {server = {}, client = {}}
channel_example.server[101] = {name = "draw", channel = "example",
    min_size = 30, items = {
    {name = "shape", struct = "shape", pointer = true},
    {name = "under", struct = "shape", pointer = true},
    {name = "at", struct = "corner"},
    {name = "serial", kind = "u64"},
    {name = "secret", kind = "bytes", count = 4},
    {name = "marks", kind = "i16", count = 3},
}}
channel_example.server[102] = {name = "clear", channel = "example",
    min_size = 0, items = {
}}
channel_example.server[103] = {name = "cells", channel = "example",
    min_size = 3, items = {
    {name = "depth", kind = "u8"},
    {name = "num_cells", kind = "u16"},
    {name = "cells", struct = "cell", argument = function(v, context, parameter) return v.depth == 1 and 1 or 8 end, count = function(v, context, parameter) return v.num_cells end},
    {name = "rest", kind = "bytes", count = "rest"},
}}
channel_example.client[103] = {name = "cells", channel = "example",
    min_size = 3, items = {
    {name = "depth", kind = "u8"},
    {name = "num_cells", kind = "u16"},
    {name = "cells", struct = "cell", argument = function(v, context, parameter) return v.depth == 1 and 1 or 8 end, count = function(v, context, parameter) return v.num_cells end},
    {name = "rest", kind = "bytes", count = "rest"},
}}
channel_example.client[104] = {name = "pick", channel = "example",
    min_size = 5, items = {
    {name = "num_choices", kind = "u8"},
    {name = "choices", kind = "u32", pointer = true, count = function(v, context, parameter) return v.num_choices end},
}}
channels[42] = {name = "example", server = channel_example.server, client = channel_example.client}

-- Fields.