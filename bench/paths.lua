-- For wrk: asks for the paths of a file, one a line. At its end it begins again, or with `once` ends wrk.
local lines, file, once, head, tail

function init(args)
  file, once = args[1], args[2] == "once"
  head, tail = wrk.format(nil, "/PATH"):match("^(.-)/PATH(.*)$")
  lines = io.lines(file)
  if once then
    response = function(status)
      if status ~= 200 then
        io.stderr:write("an answer with status " .. status .. "\n")
        os.exit(1)
      end
    end
  end
end

function request()
  local path = lines()
  if not path then
    -- Its clock would let wrk wait to the end.
    if once then os.exit(0) end
    lines = io.lines(file)
    path = lines()
  end
  return head .. path .. tail
end
