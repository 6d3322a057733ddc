import type { FileSystem, LogFile } from '../../src/log/embedded/file-system.ts';
import { FaultyDisk, ProcessGone, type DiskOperation } from '../../src/testing/index.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

async function create(fileSystem: FileSystem, path: string, text: string): Promise<LogFile> {
  const file = await fileSystem.open(path, 'create');
  await file.write([bytes(text)], 0);
  return file;
}

/** What a fate leaves, over many seeds. */
async function outcomes<Outcome>(run: (disk: FaultyDisk) => Promise<Outcome>): Promise<Set<Outcome>> {
  const seen = new Set<Outcome>();
  for (let seed = 1; seed <= 200; seed++) seen.add(await run(new FaultyDisk(seed)));
  return seen;
}

test('works as a file system', async () => {
  const disk = new FaultyDisk();
  const fileSystem = disk.mount();
  await fileSystem.makeFolder('/a/b');
  await fileSystem.makeFolder('/a/b');
  const file = await create(fileSystem, '/a/b/one', 'hello');
  expect(await file.write([bytes('J'), bytes('ELL')], 0)).toBe(4);
  await file.write([bytes('!')], 7);
  const target = Buffer.alloc(12, '.');
  expect(await file.read(target, 1, 11, 0)).toBe(8);
  expect(target.toString()).toBe('.JELLo\0\0!...');
  expect(await file.read(target, 0, 5, 100)).toBe(0);
  await file.truncate(2);
  expect(await file.size()).toBe(2);
  await file.truncate(3);
  expect(disk.contentOf('/a/b/one')).toEqual(bytes('JE\0'));
  await fileSystem.rename('/a/b/one', '/a/b/two');
  expect(await fileSystem.list('/a/b')).toEqual(['two']);
  await expect(fileSystem.open('/a/b/two', 'create')).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(fileSystem.open('/a/b/one', 'write')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(fileSystem.list('/x')).rejects.toMatchObject({ code: 'ENOENT' });
  const reader = await fileSystem.open('/a/b/two', 'read');
  await expect(reader.write([bytes('x')], 0)).rejects.toMatchObject({ code: 'EBADF' });
  await reader.close();
  await expect(reader.size()).rejects.toMatchObject({ code: 'EBADF' });
  await fileSystem.remove('/a/b/two');
  expect(await file.size()).toBe(3);
  await create(fileSystem, '/a/b/three', 'x');
  await fileSystem.removeFolder('/a/b');
  expect(await fileSystem.list('/a')).toEqual([]);
});

test('a crash keeps what was synced, and only that for sure', async () => {
  const seen = await outcomes(async (disk) => {
    const fileSystem = disk.mount();
    const file = await create(fileSystem, '/file', 'a'.repeat(600));
    await file.sync();
    await fileSystem.syncFolder('/');
    await file.write([bytes('b'.repeat(1000))], 600);
    disk.crash();
    const text = disk.contentOf('/file').toString();
    expect(text.slice(0, 600)).toBe('a'.repeat(600));
    expect(text.slice(600)).toMatch(/^[b\0]*$/);
    if (text.length === 600) return 'lost';
    if (text.length === 1600 && !text.includes('\0')) return 'kept';
    if (text.includes('\0')) return 'a hole';
    return text.length === 1024 ? 'torn at a sector' : 'torn at a byte';
  });
  expect(seen).toEqual(new Set(['lost', 'kept', 'a hole', 'torn at a sector', 'torn at a byte']));
});

test('later writes may survive earlier ones, and a truncation may be lost', async () => {
  const seen = await outcomes(async (disk) => {
    const fileSystem = disk.mount();
    const file = await create(fileSystem, '/file', 'aaaa');
    await file.sync();
    await fileSystem.syncFolder('/');
    await file.truncate(2);
    await file.write([bytes('b')], 2);
    await file.write([bytes('c')], 3);
    disk.crash();
    return disk.contentOf('/file').toString();
  });
  expect([...seen]).toEqual(expect.arrayContaining(['aaaa', 'aa', 'aabc', 'aab', 'aa\0c', 'aaba', 'aaac', 'aabc']));
  expect([...seen].every((text) => /^aa[ab\0]?[ac\0]?$/.test(text))).toBe(true);
});

test('names need their folder to be synced: creates, renames and removes are each kept or lost', async () => {
  const seen = await outcomes(async (disk) => {
    const fileSystem = disk.mount();
    await fileSystem.makeFolder('/log');
    await fileSystem.syncFolder('/');
    for (const name of ['temp', 'old']) await (await create(fileSystem, `/log/${name}`, name)).sync();
    await fileSystem.syncFolder('/log');
    await (await create(fileSystem, '/log/new', 'new')).sync();
    await fileSystem.rename('/log/temp', '/log/final');
    await fileSystem.remove('/log/old');
    disk.crash();
    const names = await disk.mount().list('/log');
    expect(names.includes('temp')).toBe(!names.includes('final'));
    return names.sort().join();
  });
  expect(seen.size).toBe(8);
  expect(seen).toContain('final,new');
  expect(seen).toContain('old,temp');
});

test('a folder that was not synced above is lost with all that is in it', async () => {
  const seen = await outcomes(async (disk) => {
    const fileSystem = disk.mount();
    await fileSystem.makeFolder('/log/topic');
    await (await create(fileSystem, '/log/topic/file', 'x')).sync();
    await fileSystem.syncFolder('/log/topic');
    await fileSystem.syncFolder('/log');
    disk.crash();
    return [...disk.files().keys()].join();
  });
  expect(seen).toEqual(new Set(['', '/log/topic/file']));
});

test('a failed sync loses bytes that the next sync does not bring back', async () => {
  const seen = await outcomes(async (disk) => {
    const fileSystem = disk.mount();
    const file = await create(fileSystem, '/file', 'old');
    await file.sync();
    await fileSystem.syncFolder('/');
    await file.write([bytes('new')], 0);
    disk.onOperation = ({ kind }) => (kind === 'sync' ? 'EIO' : undefined);
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    disk.onOperation = null;
    const cached = disk.contentOf('/file').toString();
    await file.sync();
    disk.crash();
    return `${cached} then ${disk.contentOf('/file').toString()}`;
  });
  expect(seen).toContain('new then old');
  expect(seen).toContain('old then old');
  expect(seen).toContain('new then new');
});

test('a killed process loses nothing, and its handles are dead', async () => {
  const disk = new FaultyDisk();
  const fileSystem = disk.mount();
  const file = await create(fileSystem, '/file', 'x');
  const pending = file.write([bytes('y')], 1);
  disk.kill();
  expect(fileSystem.gone.aborted).toBe(true);
  await expect(pending).rejects.toThrow(ProcessGone);
  await expect(file.size()).rejects.toThrow(ProcessGone);
  await expect(fileSystem.list('/')).rejects.toThrow(ProcessGone);
  expect(disk.contentOf('/file').toString()).toBe('x');
  const next = disk.mount();
  expect(await next.list('/')).toEqual(['file']);
});

test('a disk has its size: a write that does not fit is short, then refused, and room is found again', async () => {
  const disk = new FaultyDisk();
  const fileSystem = disk.mount();
  const file = await create(fileSystem, '/file', 'abcd');
  disk.capacityBytes = 6;
  expect(await file.write([bytes('efgh')], 4)).toBe(2);
  await expect(file.write([bytes('gh')], 6)).rejects.toMatchObject({ code: 'ENOSPC' });
  await expect(fileSystem.open('/other', 'create')).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await file.write([bytes('xy')], 0)).toBe(2);
  await file.truncate(5);
  expect(await file.write([bytes('zz')], 5)).toBe(1);
  expect(disk.contentOf('/file').toString()).toBe('xycdez');
});

test('faults hit the operation they are set for', async () => {
  const disk = new FaultyDisk();
  const fileSystem = disk.mount();
  const file = await create(fileSystem, '/file', 'x');
  const operations: DiskOperation[] = [];
  disk.onOperation = (operation) => {
    operations.push(operation);
    if (operation.kind === 'read') return 'EIO';
    return operation.kind === 'write' ? { short: 2 } : undefined;
  };
  await expect(file.read(Buffer.alloc(1), 0, 1, 0)).rejects.toMatchObject({ code: 'EIO' });
  expect(await file.write([bytes('abcd')], 0)).toBe(2);
  await fileSystem.rename('/file', '/moved');
  expect(operations).toEqual([
    { kind: 'read', path: '/file', target: '/file', bytes: 0, number: 2 },
    { kind: 'write', path: '/file', target: '/file', bytes: 4, number: 3 },
    { kind: 'rename', path: '/file', target: '/moved', bytes: 0, number: 4 },
  ]);
});

test('a run can be ended at each of its changing operations', async () => {
  const run = async (fileSystem: FileSystem): Promise<void> => {
    const file = await create(fileSystem, '/temp', 'x');
    await file.sync();
    await file.close();
    await fileSystem.rename('/temp', '/final');
    await fileSystem.syncFolder('/');
  };
  const whole = new FaultyDisk();
  await run(whole.mount());
  expect(whole.operations).toBe(5);
  for (let count = 1; count <= whole.operations; count++) {
    const disk = new FaultyDisk(count);
    disk.endAt(count);
    const fileSystem = disk.mount();
    await expect(run(fileSystem)).rejects.toThrow(ProcessGone);
    expect(disk.operations).toBe(count);
    const isMoved = disk.files().has('/final');
    if (count < 4) expect(isMoved).toBe(false);
    if (count > 4) expect(isMoved).toBe(true);
  }
});

test('a copy is durable and goes its own way', async () => {
  const disk = new FaultyDisk();
  await create(disk.mount(), '/file', 'x');
  const copy = disk.copy(2);
  disk.replace('/file', bytes('y'));
  copy.crash();
  expect(copy.contentOf('/file').toString()).toBe('x');
  copy.take('/file');
  copy.crash();
  expect(copy.files().size).toBe(0);
  expect(disk.contentOf('/file').toString()).toBe('y');
});
