-- SPDX-License-Identifier: MIT
-- A Wireshark dissector for SPICE. Made from protocol/ by protocol/generate.py lua; change that.
-- Wireshark has a dissector called spice of its own, so this one is called sumac.
-- Try it: tshark -X lua_script:sumac-spice.lua -r capture.pcapng -Y sumac -O sumac
--
-- It finds a connection by its first four bytes, so a capture has to contain the start of it. What
-- TLS or a SASL security layer hides stays hidden.

local sumac = Proto("sumac", "SPICE (Sumac)")

local LINK_HEADER_SIZE, LINK_MAX_SIZE, TICKET_SIZE = 16, 4096, 128
local FULL_HEADER_SIZE, MINI_HEADER_SIZE, SUB_HEADER_SIZE = 18, 6, 6
local MAX_ITEMS = 10000 -- of one array shown; more would only slow Wireshark down
local AUTH_SELECTION, MINI_HEADER = 0, 3 -- bits of the common capabilities

-- Helpers of the conditions below. All numbers there are below 2^53.
local function has(number, bit)
    return math.floor(number / bit) % 2 == 1
end

local function mask(number, bits)
    local result, place = 0, 1
    while bits > 0 do
        if bits % 2 == 1 and number % 2 == 1 then
            result = result + place
        end
        number, bits, place = math.floor(number / 2), math.floor(bits / 2), place * 2
    end
    return result
end

local function shift(number, count)
    return math.floor(number / 2 ^ count)
end

local function one_of(number, ...)
    for _, value in ipairs({...}) do
        if number == value then
            return true
        end
    end
    return false
end

-- Tables made from the description.
local tables, structs, channels, agent, agent_header = {}, {}, {}, {}, nil

--@TABLES@

-- Fields. Two messages may have fields of one name; they share one Wireshark field if the types
-- agree.
local fields, field_list = {}, {}

local MAKERS = {
    u8 = ProtoField.uint8, u16 = ProtoField.uint16, u32 = ProtoField.uint32,
    u64 = ProtoField.uint64, i8 = ProtoField.int8, i16 = ProtoField.int16,
    i32 = ProtoField.int32, i64 = ProtoField.int64, bytes = ProtoField.bytes,
    none = ProtoField.none,
}
local SIZES = {u8 = 1, u16 = 2, u32 = 4, u64 = 8, i8 = 1, i16 = 2, i32 = 4, i64 = 8}

local function make_field(path, name, kind, value_table)
    local known = fields[path]
    if known and known.kind == kind then
        return known.field
    elseif known then
        return make_field(path .. "_" .. kind, name, kind, value_table)
    end
    local field
    if kind == "bytes" or kind == "none" then
        field = MAKERS[kind](path, name)
    elseif value_table and value_table.kind == "enum" then
        field = MAKERS[kind](path, name, base.DEC, value_table.names)
    elseif value_table then
        field = MAKERS[kind](path, name, base.HEX)
    else
        field = MAKERS[kind](path, name, base.DEC)
    end
    fields[path] = {field = field, kind = kind}
    table.insert(field_list, field)
    return field
end

local function prepare(items, path)
    for _, item in ipairs(items) do
        if item.when then
            prepare(item.items, path)
            prepare(item.otherwise or {}, path)
        elseif item.name then
            item.field = make_field(path .. "." .. item.name, item.name,
                item.struct and "none" or item.kind, item.values and tables[item.values])
        end
    end
end

for name, struct in pairs(structs) do
    prepare(struct, "sumac." .. name)
end
for _, channel in pairs(channels) do
    for _, way in ipairs({"server", "client"}) do
        for _, message in pairs(channel[way]) do
            local prefix = way == "client" and "c_" or ""
            prepare(message.items, "sumac." .. message.channel .. "." .. prefix .. message.name)
        end
    end
end
for _, message in pairs(agent) do
    prepare(message.items, "sumac.agent." .. message.name)
end

local own = {
    link = make_field("sumac.link", "Link", "none"),
    link_error = make_field("sumac.link.error", "error", "u32", tables.link_err),
    connection_id = make_field("sumac.link.connection_id", "connection_id", "u32"),
    channel_type = make_field("sumac.link.channel_type", "channel_type", "u8",
        tables.channel_type),
    channel_id = make_field("sumac.link.channel_id", "channel_id", "u8"),
    major = make_field("sumac.link.major", "major", "u32"),
    minor = make_field("sumac.link.minor", "minor", "u32"),
    size = make_field("sumac.size", "size", "u32"),
    serial = make_field("sumac.serial", "serial", "u64"),
    type = make_field("sumac.type", "type", "u16"),
    sub_list = make_field("sumac.sub_list", "sub_list", "u32"),
    pub_key = make_field("sumac.link.pub_key", "pub_key", "bytes"),
    common_caps = make_field("sumac.link.common_caps", "common_caps", "u32",
        {kind = "flags"}),
    channel_caps = make_field("sumac.link.channel_caps", "channel_caps", "u32",
        {kind = "flags"}),
    mechanism = make_field("sumac.link.mechanism", "mechanism", "u32", tables.auth),
    ticket = make_field("sumac.link.ticket", "ticket", "bytes"),
    result = make_field("sumac.link.result", "result", "u32", tables.link_err),
    opaque = make_field("sumac.opaque", "not dissected", "bytes"),
    message = make_field("sumac.message", "Message", "none"),
}
own.message_name = ProtoField.string("sumac.message.name", "name")
own.channel_name = ProtoField.string("sumac.channel", "channel")
table.insert(field_list, own.message_name)
table.insert(field_list, own.channel_name)
sumac.fields = field_list

local malformed = ProtoExpert.new("sumac.malformed", "Malformed", expert.group.MALFORMED,
    expert.severity.ERROR)
local broken_rule = ProtoExpert.new("sumac.rule", "Breaks a rule of the protocol",
    expert.group.PROTOCOL, expert.severity.WARN)
local unknown = ProtoExpert.new("sumac.unknown", "Unknown message", expert.group.UNDECODED,
    expert.severity.NOTE)
sumac.experts = {malformed, broken_rule, unknown}

local tcp_stream = Field.new("tcp.stream")

-- Reading a body. A cursor knows its place and where its bytes end; running out of them is an error
-- that ends the message.

local function take(cursor, size)
    if size > cursor.stop - cursor.at then
        error({ends = true})
    end
    local range
    if size > 0 then
        range = cursor.tvb:range(cursor.at, size)
    end
    cursor.at = cursor.at + size
    return range
end

local function read_number(cursor, kind)
    local size = SIZES[kind]
    local range = take(cursor, size)
    local value
    if size == 8 then
        value = kind == "u64" and range:le_uint64():tonumber() or range:le_int64():tonumber()
    elseif kind:sub(1, 1) == "i" then
        value = range:le_int()
    else
        value = range:le_uint()
    end
    return value, range
end

local function flag_names(value_table, value)
    local found = {}
    for _, entry in ipairs(value_table.names) do
        if has(value, entry[1]) then
            table.insert(found, entry[2])
        end
    end
    return #found > 0 and " (" .. table.concat(found, ", ") .. ")" or ""
end

local read_items

local function read_struct(cursor, item, tree, values, body)
    local nested = {}
    local branch = tree:add(item.field, cursor.tvb:range(cursor.at, 0))
    local start = cursor.at
    local argument = item.argument and item.argument(values, body.context)
    read_items(cursor, structs[item.struct], branch, nested, body, argument)
    if cursor.at > start then
        branch:set_len(cursor.at - start)
    end
    return nested
end

local function read_element(cursor, item, tree, values, body)
    if item.struct then
        return read_struct(cursor, item, tree, values, body)
    end
    local value, range = read_number(cursor, item.kind)
    local leaf = tree:add_le(item.field, range)
    if item.values and tables[item.values].kind == "flags" then
        leaf:append_text(flag_names(tables[item.values], value))
    end
    return value
end

-- What stands at `cursor`: one element, an array or bytes.
local function read_value(cursor, item, tree, values, body)
    local count = item.count
    if type(count) == "function" then
        count = count(values, body.context, values["(parameter)"])
    end
    if item.kind == "bytes" then
        local size = count == "rest" and cursor.stop - cursor.at or count
        local range = take(cursor, size)
        if range then
            tree:add(item.field, range)
        end
        return {size = size}
    end
    if not count then
        return read_element(cursor, item, tree, values, body)
    end
    if count == "rest" then
        count = math.floor((cursor.stop - cursor.at) / (SIZES[item.kind] or 1))
    end
    for number = 1, math.min(count, MAX_ITEMS) do
        read_element(cursor, item, tree, values, body)
    end
    return {size = count}
end

local function read_pointer(cursor, item, tree, values, body)
    local offset, range = read_number(cursor, "u32")
    if offset == 0 then
        tree:add(item.field, range):append_text(" absent")
        return nil
    end
    local target = {tvb = cursor.tvb, at = body.start + offset, stop = body.stop}
    if target.at >= target.stop then
        error({ends = true})
    end
    return read_value(target, item, tree, values, body)
end

function read_items(cursor, items, tree, values, body, parameter)
    values["(parameter)"] = parameter
    for _, item in ipairs(items) do
        if item.when then
            local chosen = item.when(values, body.context, parameter) and item.items or
                item.otherwise
            if chosen then
                read_items(cursor, chosen, tree, values, body, parameter)
            end
        elseif item.rule then
            local is_fine, holds = pcall(item.rule, values, body.context, parameter)
            if is_fine and not holds then
                tree:add_proto_expert_info(broken_rule, item.reason)
            end
        elseif item.pointer then
            values[item.name] = read_pointer(cursor, item, tree, values, body)
        else
            values[item.name] = read_value(cursor, item, tree, values, body)
        end
    end
end

-- Runs `read`; what is wrong with the bytes becomes a mark in the tree.
local function guarded(tree, read)
    local is_fine, problem = pcall(read)
    if is_fine then
        return
    end
    if type(problem) == "table" and problem.ends then
        tree:add_proto_expert_info(malformed, "A field reaches beyond the body")
    else
        error(problem, 0)
    end
end

-- What the agent says: shown when a message lies whole in one AGENT_DATA.
local function dissect_agent(stream, tvb, tree)
    if tvb:len() < 20 or tvb:range(0, 4):le_uint() ~= 1 then
        return
    end
    local size = tvb:range(16, 4):le_uint()
    local message = agent[tvb:range(4, 4):le_uint()]
    if not message or 20 + size ~= tvb:len() then
        return
    end
    local branch = tree:add(own.message, tvb:range())
    branch:set_text("Agent: " .. message.name:upper())
    branch:add(own.message_name, tvb:range(4, 4), "agent." .. message.name)
    local values = {}
    if message.name == "announce_capabilities" and tvb:len() >= 28 then
        stream.agent_caps = tvb:range(24, 4):le_uint()
    end
    local context = 0
    if stream.agent_caps then
        context = (has(stream.agent_caps, 2 ^ 6) and 1 or 0) +
            (has(stream.agent_caps, 2 ^ 17) and 2 or 0)
    end
    local cursor = {tvb = tvb, at = 20, stop = tvb:len()}
    guarded(branch, function()
        read_items(cursor, message.items, branch, values,
            {start = 20, stop = tvb:len(), context = context})
    end)
end

local function find_message(stream, way, type)
    local channel = channels[stream.channel_type]
    return channel and channel[way][type]
end

local dissect_body

local function dissect_sub_list(stream, way, tvb, offset, tree)
    local cursor = {tvb = tvb, at = offset, stop = tvb:len()}
    local count = read_number(cursor, "u16")
    for _ = 1, math.min(count, MAX_ITEMS) do
        local at = read_number(cursor, "u32")
        local sub = {tvb = tvb, at = at, stop = tvb:len()}
        local type = read_number(sub, "u16")
        -- The reference server declares too much: cut it to the end of the carrying body.
        local size = math.min(read_number(sub, "u32"), tvb:len() - sub.at)
        local branch = tree:add(own.message, tvb:range(at, SUB_HEADER_SIZE + size))
        local part = size > 0 and tvb:range(sub.at, size):tvb()
        dissect_body(stream, way, type, part, branch, true)
    end
end

-- Returns the message's name.
function dissect_body(stream, way, type, tvb, tree, is_sub)
    local message = find_message(stream, way, type)
    if not message then
        tree:set_text(string.format("Message %d", type))
        tree:add_proto_expert_info(unknown)
        return string.format("message %d", type)
    end
    local name = message.name:upper()
    tree:set_text((is_sub and "Sub-message: " or "") .. name)
    tree:add(own.message_name, message.channel .. "." .. message.name):set_generated()
    if tvb then
        local cursor = {tvb = tvb, at = 0, stop = tvb:len()}
        guarded(tree, function()
            read_items(cursor, message.items, tree, {},
                {start = 0, stop = tvb:len(), context = 0})
            if message.name == "list" and not is_sub then
                dissect_sub_list(stream, way, tvb, 0, tree)
            end
        end)
        if message.name == "agent_data" then
            dissect_agent(stream, tvb, tree)
        end
    elseif message.min_size > 0 then
        tree:add_proto_expert_info(malformed, "No body")
    end
    return name
end

-- Connections. What stands where is decided once, in order, and kept for every later look at the
-- same packet.
local streams = {}

function sumac.init()
    streams = {}
end

local function new_side()
    return {phase = "link", kept = {}}
end

local function caps_of(tvb, start)
    local common, channel = tvb:range(start, 4):le_uint(), tvb:range(start + 4, 4):le_uint()
    local offset = tvb:range(start + 8, 4):le_uint()
    return common, channel, offset
end

-- Shows link header and link message or reply; returns what it says.
local function dissect_link(tvb, way, tree)
    tree:add_le(own.major, tvb:range(4, 4))
    tree:add_le(own.minor, tvb:range(8, 4))
    tree:add_le(own.size, tvb:range(12, 4))
    local said, fixed = {}, LINK_HEADER_SIZE
    local counts
    if way == "client" and tvb:len() >= 34 then
        tree:add_le(own.connection_id, tvb:range(16, 4))
        tree:add_le(own.channel_type, tvb:range(20, 1))
        tree:add_le(own.channel_id, tvb:range(21, 1))
        said.channel_type, said.channel_id = tvb:range(20, 1):uint(), tvb:range(21, 1):uint()
        counts = 22
    elseif way == "server" and tvb:len() >= 194 then
        tree:add_le(own.link_error, tvb:range(16, 4))
        tree:add(own.pub_key, tvb:range(20, 162))
        said.error = tvb:range(16, 4):le_uint()
        counts = 182
    else
        tree:add_proto_expert_info(malformed, "Too short")
        return said
    end
    local num_common, num_channel, offset = caps_of(tvb, counts)
    local at = fixed + offset
    if at + 4 * (num_common + num_channel) > tvb:len() then
        tree:add_proto_expert_info(malformed, "Capabilities outside the message")
        return said
    end
    for number = 1, num_common + num_channel do
        local word = tvb:range(at + 4 * (number - 1), 4)
        if number <= num_common then
            tree:add_le(own.common_caps, word)
            said.common = said.common or word:le_uint()
        else
            tree:add_le(own.channel_caps, word)
        end
    end
    return said
end

-- The next unit at `offset`: its size, or nil if more bytes are needed to tell.
local function unit_size(stream, side, way, tvb, offset)
    local left = tvb:len() - offset
    if side.phase == "link" then
        if left < LINK_HEADER_SIZE then
            return nil
        end
        local size = tvb:range(offset + 12, 4):le_uint()
        return size <= LINK_MAX_SIZE and LINK_HEADER_SIZE + size or left
    elseif side.phase == "mechanism" or side.phase == "result" then
        return 4
    elseif side.phase == "ticket" then
        return TICKET_SIZE
    elseif side.phase == "opaque" then
        return left
    end
    local header = stream.is_mini and MINI_HEADER_SIZE or FULL_HEADER_SIZE
    if left < header then
        return nil
    end
    local size = tvb:range(offset + (stream.is_mini and 2 or 10), 4):le_uint()
    return header + size
end

-- Takes the phase of a side on, as a unit tells.
local function advance(stream, side, way, unit)
    if side.phase == "link" and way == "client" then
        stream.client_link = unit.said
        stream.channel_type, stream.channel_id = unit.said.channel_type, unit.said.channel_id
        side.phase = "after link" -- until the reply tells what both can do
    elseif side.phase == "link" then
        local client = stream.client_link or {}
        local both = function(bit)
            return has(client.common or 0, 2 ^ bit) and has(unit.said.common or 0, 2 ^ bit)
        end
        stream.is_mini = both(MINI_HEADER)
        stream.client.phase = both(AUTH_SELECTION) and "mechanism" or "ticket"
        side.phase = unit.said.error == 0 and "result" or "opaque"
    elseif side.phase == "mechanism" then
        side.phase = unit.mechanism == 1 and "ticket" or "opaque"
        if side.phase == "opaque" then
            stream.server.phase = "opaque" -- SASL
        end
    elseif side.phase == "ticket" then
        side.phase = "data"
    elseif side.phase == "result" then
        side.phase = unit.result == 0 and "data" or "opaque"
    end
end

local function show_data(stream, way, tvb, tree, is_mini)
    local header = is_mini and MINI_HEADER_SIZE or FULL_HEADER_SIZE
    local at, sub_list = 0, 0
    tree:add(own.channel_name, stream.label):set_generated()
    if not is_mini then
        tree:add_le(own.serial, tvb:range(0, 8))
        at = 8
    end
    tree:add_le(own.type, tvb:range(at, 2))
    tree:add_le(own.size, tvb:range(at + 2, 4))
    if not is_mini then
        tree:add_le(own.sub_list, tvb:range(14, 4))
        sub_list = tvb:range(14, 4):le_uint()
    end
    local type = tvb:range(at, 2):le_uint()
    local body = tvb:len() > header and tvb:range(header):tvb() or nil
    local name = dissect_body(stream, way, type, body, tree)
    if sub_list > 0 and body then
        guarded(tree, function()
            dissect_sub_list(stream, way, body, sub_list, tree)
        end)
    end
    return name
end

-- Shows one whole unit; returns what it says and a text for the column.
local function show_unit(stream, way, phase, is_mini, tvb, tree)
    local branch = tree:add(own.message, tvb:range())
    local unit = {}
    if phase == "link" then
        branch:set_text(way == "client" and "Link message" or "Link reply")
        unit.said = dissect_link(tvb, way, branch)
        return unit, way == "client" and "link message" or "link reply"
    elseif phase == "mechanism" then
        branch:set_text("Mechanism")
        branch:add_le(own.mechanism, tvb:range())
        unit.mechanism = tvb:range():le_uint()
        return unit, "mechanism"
    elseif phase == "ticket" then
        branch:set_text("Ticket")
        branch:add(own.ticket, tvb:range())
        return unit, "ticket"
    elseif phase == "result" then
        branch:set_text("Link result")
        branch:add_le(own.result, tvb:range())
        unit.result = tvb:range():le_uint()
        return unit, "link result"
    elseif phase == "opaque" or phase == "after link" then
        branch:set_text("Not dissected")
        branch:add(own.opaque, tvb:range())
        return unit, "not dissected"
    end
    return unit, show_data(stream, way, tvb, branch, is_mini)
end

local function stream_of(pinfo)
    local number = tcp_stream().value
    local stream = streams[number]
    if not stream then -- the first bytes of a connection are the client's
        stream = {client = new_side(), server = new_side(),
            server_address = tostring(pinfo.dst) .. " " .. pinfo.dst_port}
        streams[number] = stream
    end
    return stream
end

function sumac.dissector(tvb, pinfo, tree)
    local stream = stream_of(pinfo)
    local is_client = tostring(pinfo.dst) .. " " .. pinfo.dst_port == stream.server_address
    local way = is_client and "client" or "server"
    local side = stream[way]
    pinfo.cols.protocol = "SPICE"
    local root = tree:add(sumac, tvb())

    local offset, names = 0, {}
    while offset < tvb:len() do
        local key = string.format("%d %d %d", pinfo.number, tvb:len(), offset)
        local kept = side.kept[key] or {phase = side.phase, is_mini = stream.is_mini}
        local size = unit_size({is_mini = kept.is_mini}, kept, way, tvb, offset)
        if not size or size > tvb:len() - offset then
            pinfo.desegment_offset = offset
            pinfo.desegment_len = size and size - (tvb:len() - offset) or
                DESEGMENT_ONE_MORE_SEGMENT
            break
        end
        local unit, name = show_unit(stream, way, kept.phase, kept.is_mini,
            tvb:range(offset, size):tvb(), root)
        if not side.kept[key] then
            side.kept[key] = kept
            advance(stream, side, way, unit)
            if stream.channel_type and not stream.label then
                local channel = channels[stream.channel_type]
                stream.label = string.format("%s %d", channel and channel.name or
                    stream.channel_type, stream.channel_id)
            end
        end
        table.insert(names, name)
        offset = offset + size
    end
    if #names > 0 then
        pinfo.cols.info = string.format("%s: %s ", stream.label or "?", table.concat(names, ", "))
        root:append_text(", " .. (stream.label or "?"))
    end
    return tvb:len()
end

local function is_spice(tvb, pinfo, tree)
    if tvb:len() < 4 or tvb:range(0, 4):string() ~= "REDQ" then
        return false
    end
    pinfo.conversation = sumac
    sumac.dissector(tvb, pinfo, tree)
    return true
end

sumac:register_heuristic("tcp", is_spice)
